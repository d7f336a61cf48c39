/** One VM: what it has, as it is now. */
import type { VM } from "../../../lib/contract/mod.ts";
import { fixed } from "../../../lib/i18n/numbers.ts";
import { formatBytes, formatMemory } from "../../../lib/text/quantity.ts";
import { formatMoment, formatSpan } from "../../../lib/text/time.ts";
import { osOf } from "../../../lib/vm/os/names.ts";
import type { Desk } from "../desk.ts";
import { line, span, type StyledLine } from "../line.ts";
import type { Binding, Place } from "../pane.ts";
import { bar, stateCell } from "../state_cell.ts";
import { vmBindings } from "../vm_keys.ts";
import { folded } from "../width.ts";
import { PalettePane } from "./palette.ts";
import { ScrolledPane } from "./text.ts";

/** Columns of the names of facts, and of a bar. */
const NAME = 14, BAR = 20;

export class VmPane extends ScrolledPane {
  /** @param id of the VM */
  constructor(private readonly desk: Desk, private readonly id: string) {
    super(() => desk.close(this));
  }

  get title(): string {
    return this.desk.data.vm(this.id)?.name ?? "VM";
  }

  protected override actions(): readonly Binding[] {
    const vm = this.desk.data.vm(this.id);
    if (vm === undefined) return [];
    return [
      ...vmBindings(this.desk, vm),
      { keys: ["a"], label: "all actions", run: () => this.desk.open(new PalettePane(this.desk, vm)) },
    ];
  }

  protected override content(place: Place): readonly StyledLine[] {
    const vm = this.desk.data.vm(this.id);
    if (vm === undefined) {
      return [line(" This VM is gone: it was deleted, or you may no longer see it.", "warn")];
    }
    const { columns, look: { glyphs } } = place;
    const fact = (name: string, text: string): StyledLine[] =>
      folded(text, columns - NAME - 2, glyphs).map((each, index) => [
        { text: index === 0 ? ` ${name}` : "", width: NAME, style: "dim" },
        span(each),
      ]);
    return [
      ...vm.attention.flatMap((each) =>
        folded(each, columns - 4, glyphs).map((part) => line(` ${glyphs.bad} ${part}`, "warn"))
      ),
      ...facts(vm, place).flatMap(([name, text]) => fact(name, text)),
      ...this.#load(vm, place),
      ...list("Disks", vm.disks.map((disk) => diskText(disk))),
      ...list("Network interfaces", vm.networkInterfaces.map((nic) => nicText(nic))),
      ...list("Tags", vm.tags),
      ...(vm.description === undefined ? [] : [
        line(""),
        line(" Description", "strong"),
        ...folded(vm.description, columns - 4, glyphs).map((each) => line(`  ${each}`)),
      ]),
    ];
  }

  #load(vm: VM, { look: { glyphs } }: Place): StyledLine[] {
    const stats = this.desk.data.stats(vm);
    if (stats === undefined) return [];
    const { cpuUsagePercent, memoryUsedMb } = stats;
    const row = (name: string, share: number, text: string): StyledLine => [
      { text: ` ${name}`, width: NAME, style: "dim" },
      span(bar(share, BAR, glyphs), "info"),
      span(` ${text}`),
    ];
    return [
      ...(cpuUsagePercent === null
        ? []
        : [row("CPU", cpuUsagePercent / 100, `${fixed(cpuUsagePercent, 1)} %`)]),
      row(
        "Memory",
        memoryUsedMb / vm.memoryMb,
        `${formatMemory(memoryUsedMb)} of ${formatMemory(vm.memoryMb)}`,
      ),
    ];
  }
}

/** A list below a title; nothing for an empty one. */
const list = (title: string, texts: readonly string[]): StyledLine[] =>
  texts.length === 0
    ? []
    : [line(""), line(` ${title}`, "strong"), ...texts.map((each) => line(`  ${each}`))];

/** What is told of a VM in one line each. */
function facts(vm: VM, { look: { glyphs }, now }: Place): [name: string, text: string][] {
  const { startedAt, createdAt } = vm;
  const rows: readonly (readonly [name: string, text: string | undefined])[] = [
    ["State", `${stateCell(vm, glyphs).text}${vm.stateReason === undefined ? "" : ` (${vm.stateReason})`}`],
    ["Title", vm.title],
    ["Up for", startedAt === undefined ? undefined : formatSpan(now - startedAt)],
    ["System", osOf(vm)],
    ["Guest name", vm.guest?.hostname || undefined],
    ["Guest agent", vm.guestAgent],
    ["CPUs", String(vm.cpuCount)],
    ["Memory", formatMemory(vm.memoryMb)],
    ["Firmware", [vm.firmware, vm.machine, vm.arch, vm.virtType].filter(Boolean).join(", ")],
    ["Host", vm.host],
    ["Group", vm.group],
    ["Autostart", vm.autostart ? "yes" : "no"],
    ["Next start", vm.pendingChanges ? `${vm.pendingChanges} changes wait for it` : undefined],
    ["Created", createdAt === undefined ? undefined : formatMoment(createdAt)],
    ["ID", vm.id],
  ];
  return rows.flatMap(([name, text]) => text === undefined ? [] : [[name, text]]);
}

const diskText = ({ target, bus, device, source, capacityBytes, format }: VM["disks"][number]) =>
  [
    `${target} (${[bus, device, format].filter(Boolean).join(", ")})`,
    capacityBytes === undefined ? undefined : formatBytes(capacityBytes),
    source ?? "empty",
  ].filter(Boolean).join("  ");

const nicText = ({ mac, network, type, ipAddresses, linkUp }: VM["networkInterfaces"][number]) =>
  [mac, network || type, linkUp ? undefined : "unplugged", ipAddresses.join(", ")].filter(Boolean).join("  ");
