/** The change that gives a VM the hardware back that another change takes. Pure. */
import type { Hardware, HardwareChange } from "../../contract/hardware.ts";

/** Settings of a VM in addition to the hardware that `update_vm` changes. */
export interface OwnSettings {
  readonly autostart: boolean;
  readonly tags: readonly string[];
  readonly group?: string;
}

/** Of a record, the keys that another one has. */
function same<T extends object>(source: T, keys: object | undefined): Partial<T> {
  return Object.fromEntries(Object.entries(source).filter(([key]) => key in (keys ?? {}))) as Partial<T>;
}

function cpuBack(cpu: Hardware["cpu"], change: NonNullable<HardwareChange["cpu"]>) {
  const isOther = change.mode !== undefined || change.model !== undefined;
  return {
    // The number of CPUs and their topology have to fit together.
    count: cpu.count,
    max: cpu.max,
    topology: cpu.topology,
    ...same({ pinning: cpu.pinning }, change),
    ...(isOther && { mode: cpu.mode, ...(cpu.model !== null && { model: cpu.model }) }),
  };
}

function bootBack({ order, devices, menu }: Hardware["boot"], change: NonNullable<HardwareChange["boot"]>) {
  const isOther = change.order !== undefined || change.devices !== undefined;
  return {
    ...same({ menu }, change),
    ...(isOther && (order.length > 0 ? { order } : { devices })),
  };
}

/**
 * The change that takes another one back, in the shape of `update_vm`.
 *
 * @param next the stored hardware before the change
 * @param own what else it had
 */
export function changeBack(
  change: HardwareChange,
  { cpu, memory, boot, tpm, video, ...next }: Hardware,
  own: OwnSettings,
): Record<string, unknown> {
  const { firmware, watchdog, rng, sound, title, description } = next;
  return {
    ...(change.cpu && { cpu: cpuBack(cpu, change.cpu) }),
    ...(change.memory && { memory }),
    ...(change.boot && { boot: bootBack(boot, change.boot) }),
    ...same({ firmware, watchdog, rng, sound, title, description }, change),
    ...same({ tpm: tpm && { model: tpm.model, version: tpm.version } }, change),
    ...(video !== null && same({ video }, change)),
    ...same({ autostart: own.autostart, tags: own.tags, group: own.group ?? "" }, change),
  };
}
