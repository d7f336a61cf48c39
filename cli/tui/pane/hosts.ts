/** The hosts: whether each answers, what it carries, and since when. */
import type { HostStatus } from "../../../lib/contract/mod.ts";
import { formatMemory } from "../../../lib/text/quantity.ts";
import { formatAgo, formatMoment } from "../../../lib/text/time.ts";
import { headingHere, wordHere } from "../../verb/words.ts";
import { type TextColumn, widest } from "../columns.ts";
import type { Desk } from "../desk.ts";
import type { Style } from "../line.ts";
import type { Binding, PaneArea } from "../pane.ts";
import { agoColumns } from "../state_cell.ts";
import { TablePane } from "./table.ts";
import { TextPane } from "./text.ts";
import { shell } from "../../../lib/i18n/en/shell.ts";
import { tui } from "../../../lib/i18n/en/tui.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";

const { t } = textsOf(tui);
const { t: told } = textsOf(shell);

const STATUSES: readonly HostStatus["status"][] = [
  "connected",
  "connecting",
  "disconnected",
  "disabled",
];

const STYLES: Readonly<Partial<Record<HostStatus["status"], Style>>> = { connected: "ok", disabled: "dim" };

export class HostsPane extends TablePane<HostStatus> {
  constructor(private readonly desk: Desk) {
    super();
  }

  get title(): string {
    return t("tui.hosts");
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

  protected override columns({ look: { glyphs }, now }: PaneArea): readonly TextColumn<HostStatus>[] {
    const words = widest(STATUSES.map(wordHere), glyphs), ago = agoColumns(glyphs);
    return [
      {
        title: headingHere("HOST"),
        least: 13,
        most: 32,
        order: 0,
        cell: ({ label, id }) => ({ text: label || id }),
      },
      {
        title: headingHere("STATUS"),
        least: words,
        most: words + 2,
        order: 1,
        cell: ({ status }) => ({ text: wordHere(status), style: STYLES[status] ?? "bad" }),
      },
      {
        title: headingHere("VMS"),
        least: 8,
        most: 9,
        order: 2,
        right: true,
        cell: ({ vmCount, activeVmCount }) => ({
          text: vmCount === undefined ? "-" : `${activeVmCount ?? "?"}/${vmCount}`,
        }),
      },
      {
        title: headingHere("CPU"),
        least: 6,
        most: 6,
        order: 3,
        right: true,
        cell: ({ load }) => ({
          text: percentText(load?.cpuUsagePercent),
        }),
      },
      {
        title: headingHere("MEMORY"),
        least: 17,
        most: 19,
        order: 4,
        right: true,
        cell: ({ load }) => ({
          text: load === undefined ? "-" : memoryText(load.memoryUsedMb, load.memoryTotalMb),
        }),
      },
      {
        title: headingHere("SINCE"),
        least: ago,
        most: ago,
        order: 5,
        cell: ({ since }) => ({ text: formatAgo(since, now) }),
      },
      {
        title: headingHere("WHY"),
        least: 20,
        most: 90,
        order: 6,
        cell: ({ error }) => ({ text: error ?? "", style: "warn" }),
      },
    ];
  }

  protected override actions(host: HostStatus | undefined): readonly Binding[] {
    return host === undefined
      ? []
      : [{ keys: ["enter"], label: t("tui.key.details"), run: () => this.opened(host) }];
  }

  protected override opened(host: HostStatus): void {
    const { desk } = this, { id, label, status, since, error, version, uri, maintenance } = host;
    const rows: readonly (readonly [name: string, text: string | undefined])[] = [
      [told("heading.host"), label],
      [told("heading.id"), id],
      [told("heading.status"), t("tui.host.since", { status: wordHere(status), time: formatMoment(since) })],
      [told("heading.why"), error ?? undefined],
      ["libvirt", version],
      [t("tui.host.connected_to"), uri || undefined],
      [told("heading.maintenance"), maintenance === undefined ? undefined : t("tui.host.kept_away")],
      [
        t("tui.vms"),
        host.vmCount === undefined
          ? undefined
          : t("tui.host.vms", { n: host.vmCount, running: host.activeVmCount ?? "?" }),
      ],
    ];
    const text = rows.flatMap(([name, value]) =>
      value === undefined ? [] : [t("tui.named", { name, text: value })]
    ).join("\n");
    const pane: TextPane = new TextPane(label, text, () => desk.close(pane));
    desk.open(pane);
  }

  protected override empty(search: string): string {
    const { problem, isRead } = this.desk.data;
    if (search !== "") return t("tui.none.host_search", { text: search });
    return problem?.message ?? (isRead ? t("tui.none.hosts") : t("tui.none.reading_hosts"));
  }
}

const memoryText = (used: number | null, total: number) =>
  used === null ? formatMemory(total) : `${formatMemory(used)}/${formatMemory(total)}`;

const percentText = (percent: number | null | undefined) =>
  percent === null || percent === undefined ? "-" : `${percent.toFixed(0)} %`;
