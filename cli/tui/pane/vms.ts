/** The VMs: one line each, as they are now. */
import type { VM } from "../../../lib/contract/mod.ts";
import { formatMemory } from "../../../lib/text/quantity.ts";
import { formatSpan } from "../../../lib/text/time.ts";
import { filterVms, firstAddress } from "../../../lib/vm/list.ts";
import { DEFAULT_QUERY } from "../../../lib/vm/list_query.ts";
import { osOf } from "../../../lib/vm/os/names.ts";
import { headingHere } from "../../verb/words.ts";
import type { TextColumn } from "../columns.ts";
import type { Desk } from "../desk.ts";
import type { Binding, PaneArea } from "../pane.ts";
import { spanColumns, stateCell, stateColumns } from "../state_cell.ts";
import { vmBindings } from "../vm_keys.ts";
import { openForm } from "./form.ts";
import { TablePane } from "./table.ts";
import { VmPane } from "./vm.ts";
import { tui } from "../../../lib/i18n/en/tui.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";

const { t } = textsOf(tui);

export class VmsPane extends TablePane<VM> {
  constructor(private readonly desk: Desk) {
    super();
  }

  get title(): string {
    return t("tui.vms");
  }

  protected override rows(search: string): readonly VM[] {
    const { vms } = this.desk.data;
    return search === "" ? vms : filterVms(vms, { ...DEFAULT_QUERY, q: search });
  }

  protected override idOf({ id }: VM): string {
    return id;
  }

  protected override columns({ look: { glyphs }, now }: PaneArea): readonly TextColumn<VM>[] {
    const { data } = this.desk;
    const state = stateColumns(glyphs), span = spanColumns(glyphs);
    const known = (text: string | undefined) => ({ text: text ?? "-" });
    return [
      { title: headingHere("NAME"), least: 14, most: 40, order: 0, cell: ({ name }) => ({ text: name }) },
      {
        title: headingHere("STATE"),
        least: state,
        most: state + 2,
        order: 1,
        cell: (vm) => stateCell(vm, glyphs),
      },
      {
        title: headingHere("CPU"),
        least: 6,
        most: 6,
        order: 2,
        right: true,
        cell: (vm) => known(percent(data.stats(vm)?.cpuUsagePercent)),
      },
      {
        title: headingHere("MEMORY"),
        least: 15,
        most: 19,
        order: 3,
        right: true,
        cell: (vm) => ({ text: memory(vm, data.stats(vm)?.memoryUsedMb) }),
      },
      { title: headingHere("ADDRESS"), least: 15, most: 39, order: 4, cell: (vm) => known(firstAddress(vm)) },
      ...(data.hasHosts
        ? [{
          title: headingHere("HOST"),
          least: 8,
          most: 20,
          order: 5,
          cell: (vm: VM) => ({ text: vm.host }),
        }]
        : []),
      {
        title: headingHere("UP FOR"),
        least: span,
        most: span,
        order: 6,
        cell: ({ startedAt }) => known(startedAt === undefined ? undefined : formatSpan(now - startedAt)),
      },
      { title: headingHere("SYSTEM"), least: 12, most: 30, order: 7, cell: (vm) => known(osOf(vm)) },
      {
        title: headingHere("TAGS"),
        least: 8,
        most: 30,
        order: 8,
        cell: ({ tags }) => known(tags.join(" ") || undefined),
      },
    ];
  }

  protected override actions(vm: VM | undefined): readonly Binding[] {
    const { desk } = this;
    return [
      ...(vm === undefined ? [] : [
        { keys: ["enter"], label: t("tui.key.details"), run: () => this.opened(vm) },
        ...vmBindings(desk, vm),
      ]),
      ...(desk.data.may("create_vm")
        ? [{ keys: ["n"], label: t("tui.key.new_vm"), run: () => openForm(desk, "create_vm") }]
        : []),
    ];
  }

  protected override opened({ id }: VM): void {
    this.desk.open(new VmPane(this.desk, id));
  }

  protected override empty(search: string): string {
    const { data } = this.desk;
    if (search !== "") {
      return t("tui.none.vm_search", { text: search });
    }
    if (data.problem !== undefined) return data.problem.message;
    if (!data.isRead) {
      return data.link.state === "connected" ? t("tui.none.reading_vms") : t("tui.none.no_connection");
    }
    return data.may("create_vm") ? t("tui.none.vms_create") : t("tui.none.vms");
  }
}

const percent = (value: number | null | undefined) =>
  value === null || value === undefined ? undefined : `${value.toFixed(0)} %`;

const memory = ({ memoryMb }: VM, used: number | undefined) =>
  used === undefined ? formatMemory(memoryMb) : `${formatMemory(used)}/${formatMemory(memoryMb)}`;
