/** One VM: what it has, as it is now. */
import type { VM } from "../../../lib/contract/mod.ts";
import { fixed } from "../../../lib/i18n/numbers.ts";
import { formatBytes, formatMemory } from "../../../lib/text/quantity.ts";
import { formatMoment, formatSpan } from "../../../lib/text/time.ts";
import { osOf } from "../../../lib/vm/os/names.ts";
import { wordHere } from "../../verb/words.ts";
import { widest } from "../columns.ts";
import type { Desk } from "../desk.ts";
import { line, span, type StyledLine } from "../line.ts";
import type { Binding, PaneArea } from "../pane.ts";
import { bar, stateCell } from "../state_cell.ts";
import { vmBindings } from "../vm_keys.ts";
import { folded } from "../width.ts";
import { PalettePane } from "./palette.ts";
import { ScrolledPane } from "./text.ts";
import { shell } from "../../../lib/i18n/en/shell.ts";
import { tui } from "../../../lib/i18n/en/tui.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";

const { plural, t } = textsOf(tui);
const { t: told } = textsOf(shell);

/** Columns of the names of facts at least, and of a bar. */
const NAME = 14, BAR = 20;

export class VmPane extends ScrolledPane {
  /** @param id of the VM */
  constructor(private readonly desk: Desk, private readonly id: string) {
    super(() => desk.close(this));
  }

  get title(): string {
    return this.desk.data.vm(this.id)?.name ?? t("tui.vm");
  }

  protected override actions(): readonly Binding[] {
    const vm = this.desk.data.vm(this.id);
    if (vm === undefined) return [];
    return [
      ...vmBindings(this.desk, vm),
      {
        keys: ["a"],
        label: t("tui.key.all_actions"),
        run: () => this.desk.open(new PalettePane(this.desk, vm)),
      },
    ];
  }

  protected override content(place: PaneArea): readonly StyledLine[] {
    const vm = this.desk.data.vm(this.id);
    const { columns, look: { glyphs } } = place;
    if (vm === undefined) {
      return folded(t("tui.vm.gone"), columns - 2, glyphs).map((each) => line(` ${each}`, "warn"));
    }
    const all = facts(vm, place);
    const width = Math.max(NAME, 2 + widest([...all.map(([name]) => name), told("heading.cpu")], glyphs));
    const fact = (name: string, text: string): StyledLine[] =>
      folded(text, columns - width - 2, glyphs).map((each, index) => [
        { text: index === 0 ? ` ${name}` : "", width, style: "dim" },
        span(each),
      ]);
    return [
      ...vm.attention.flatMap((each) =>
        folded(each, columns - 4, glyphs).map((part) => line(` ${glyphs.bad} ${part}`, "warn"))
      ),
      ...all.flatMap(([name, text]) => fact(name, text)),
      ...this.#load(vm, place, width),
      ...list(told("heading.disks"), vm.disks.map((disk) => diskText(disk))),
      ...list(t("tui.vm.nics"), vm.networkInterfaces.map((nic) => nicText(nic))),
      ...list(told("heading.tags"), vm.tags),
      ...(vm.description === undefined ? [] : [
        line(""),
        line(` ${told("heading.description")}`, "strong"),
        ...folded(vm.description, columns - 4, glyphs).map((each) => line(`  ${each}`)),
      ]),
    ];
  }

  #load(vm: VM, { look: { glyphs } }: PaneArea, width: number): StyledLine[] {
    const stats = this.desk.data.stats(vm);
    if (stats === undefined) return [];
    const { cpuUsagePercent, memoryUsedMb } = stats;
    const row = (name: string, share: number, text: string): StyledLine => [
      { text: ` ${name}`, width, style: "dim" },
      span(bar(share, BAR, glyphs), "info"),
      span(` ${text}`),
    ];
    return [
      ...(cpuUsagePercent === null
        ? []
        : [row(told("heading.cpu"), cpuUsagePercent / 100, `${fixed(cpuUsagePercent, 1)} %`)]),
      row(
        told("heading.memory"),
        memoryUsedMb / vm.memoryMb,
        told("shell.amount_of", { done: formatMemory(memoryUsedMb), total: formatMemory(vm.memoryMb) }),
      ),
    ];
  }
}

/** A list below a title; nothing for an empty one. */
const list = (title: string, texts: readonly string[]): StyledLine[] =>
  texts.length === 0
    ? []
    : [line(""), line(` ${title}`, "strong"), ...texts.map((each) => line(`  ${each}`))];

/** Facts of a VM, one line each. */
function facts(vm: VM, { look: { glyphs }, now }: PaneArea): [name: string, text: string][] {
  const { startedAt, createdAt } = vm;
  const rows: readonly (readonly [name: string, text: string | undefined])[] = [
    [
      told("heading.state"),
      `${stateCell(vm, glyphs).text}${vm.stateReason === undefined ? "" : ` (${vm.stateReason})`}`,
    ],
    [told("heading.title"), vm.title],
    [told("heading.up-for"), startedAt === undefined ? undefined : formatSpan(now - startedAt)],
    [told("heading.system"), osOf(vm)],
    [t("tui.vm.guest_name"), vm.guest?.hostname || undefined],
    [told("heading.guest-agent"), wordHere(vm.guestAgent)],
    [told("heading.cpus"), String(vm.cpuCount)],
    [told("heading.memory"), formatMemory(vm.memoryMb)],
    [told("heading.firmware"), [vm.firmware, vm.machine, vm.arch, vm.virtType].filter(Boolean).join(", ")],
    [told("heading.host"), vm.host],
    [told("heading.group"), vm.group],
    [told("heading.autostart"), wordHere(vm.autostart ? "yes" : "no")],
    [t("tui.vm.next_start"), vm.pendingChanges ? plural("tui.vm.changes", vm.pendingChanges) : undefined],
    [told("heading.created"), createdAt === undefined ? undefined : formatMoment(createdAt)],
    [told("heading.id"), vm.id],
  ];
  return rows.flatMap(([name, text]) => text === undefined ? [] : [[name, text]]);
}

const diskText = ({ target, bus, device, source, capacityBytes, format }: VM["disks"][number]) =>
  [
    `${target} (${[bus, device, format].filter(Boolean).join(", ")})`,
    capacityBytes === undefined ? undefined : formatBytes(capacityBytes),
    source ?? t("tui.vm.empty_drive"),
  ].filter(Boolean).join("  ");

const nicText = ({ mac, network, type, ipAddresses, linkUp }: VM["networkInterfaces"][number]) =>
  [mac, network || type, linkUp ? undefined : t("tui.vm.unplugged"), ipAddresses.join(", ")].filter(Boolean)
    .join("  ");
