/** The hosts: whether each answers, what it carries, and since when. */
import type { HostStatus } from "../../../lib/contract/mod.ts";
import { formatMemory } from "../../../lib/text/quantity.ts";
import { formatAgo, formatMoment } from "../../../lib/text/time.ts";
import type { TextColumn } from "../columns.ts";
import type { Desk } from "../desk.ts";
import type { Style } from "../line.ts";
import type { Binding, Place } from "../pane.ts";
import { TablePane } from "./table.ts";
import { TextPane } from "./text.ts";

const STYLES: Readonly<Partial<Record<HostStatus["status"], Style>>> = { connected: "ok", disabled: "dim" };

export class HostsPane extends TablePane<HostStatus> {
  readonly title = "Hosts";

  constructor(private readonly desk: Desk) {
    super();
  }

  protected override rows(search: string): readonly HostStatus[] {
    const wanted = search.toLowerCase();
    return this.desk.data.hosts.filter(({ id, label, status }) =>
      wanted === "" || [id, label, status].join("\n").toLowerCase().includes(wanted)
    );
  }

  protected override idOf({ id }: HostStatus): string {
    return id;
  }

  protected override columns({ now }: Place): readonly TextColumn<HostStatus>[] {
    return [
      { title: "HOST", least: 14, most: 32, order: 0, cell: ({ label, id }) => ({ text: label || id }) },
      {
        ...{ title: "STATUS", least: 14, most: 16, order: 1 },
        cell: ({ status }) => ({ text: status, style: STYLES[status] ?? "bad" }),
      },
      {
        ...{ title: "VMS", least: 9, most: 9, order: 2, right: true },
        cell: ({ vmCount, activeVmCount }) => ({
          text: vmCount === undefined ? "-" : `${activeVmCount ?? "?"}/${vmCount}`,
        }),
      },
      {
        ...{ title: "CPU", least: 6, most: 6, order: 3, right: true },
        cell: ({ load }) => ({
          text: percentText(load?.cpuUsagePercent),
        }),
      },
      {
        ...{ title: "MEMORY", least: 17, most: 19, order: 4, right: true },
        cell: ({ load }) => ({
          text: load === undefined ? "-" : memoryText(load.memoryUsedMb, load.memoryTotalMb),
        }),
      },
      {
        title: "SINCE",
        least: 12,
        most: 16,
        order: 5,
        cell: ({ since }) => ({ text: formatAgo(since, now) }),
      },
      {
        title: "WHY",
        least: 20,
        most: 90,
        order: 6,
        cell: ({ error }) => ({ text: error ?? "", style: "warn" }),
      },
    ];
  }

  protected override actions(host: HostStatus | undefined): readonly Binding[] {
    return host === undefined ? [] : [{ keys: ["enter"], label: "details", run: () => this.opened(host) }];
  }

  protected override opened(host: HostStatus): void {
    const { desk } = this, { id, label, status, since, error, version, uri, maintenance } = host;
    const rows: readonly (readonly [name: string, text: string | undefined])[] = [
      ["Host", label],
      ["ID", id],
      ["Status", `${status}, since ${formatMoment(since)}`],
      ["Why", error ?? undefined],
      ["libvirt", version],
      ["Connected to", uri || undefined],
      ["Maintenance", maintenance === undefined ? undefined : "its VMs are kept away"],
      [
        "VMs",
        host.vmCount === undefined ? undefined : `${host.vmCount}, ${host.activeVmCount ?? "?"} running`,
      ],
    ];
    const text = rows.flatMap(([name, value]) => value === undefined ? [] : [`${name}: ${value}`]).join("\n");
    const pane: TextPane = new TextPane(label, text, () => desk.close(pane));
    desk.open(pane);
  }

  protected override empty(search: string): string {
    const { problem, isRead } = this.desk.data;
    if (search !== "") return `No host has "${search}". Esc ends the search.`;
    return problem?.message ?? (isRead ? "No hosts that you may see." : "The hosts are being read…");
  }
}

const memoryText = (used: number | null, total: number) =>
  used === null ? formatMemory(total) : `${formatMemory(used)}/${formatMemory(total)}`;

const percentText = (percent: number | null | undefined) =>
  percent === null || percent === undefined ? "-" : `${percent.toFixed(0)} %`;
