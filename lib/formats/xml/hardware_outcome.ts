/** Whether libvirt stored what a change of a VM's hardware asked for. Pure. */
import type { HardwareChange } from "../../contract/hardware.ts";
import { changedFields, fieldText, type HardwareField, readHardware } from "./hardware.ts";
import { child, parseXml } from "./tree.ts";

/** Fields that libvirt works out from the NUMA cells where a VM has some. */
const OF_CELLS: ReadonlySet<HardwareField> = new Set([
  "memory.maxMb",
  "memory.currentMb",
  "cpu.max",
  "cpu.topology",
]);

/**
 * Fields that libvirt did not accept, as the reason of a refusal; undefined when it accepted everything.
 *
 * @param asked the XML that libvirt was given
 * @param stored the XML that it stored
 */
export function notTaken(
  change: HardwareChange,
  asked: string,
  stored: string,
  hostCpus: number,
): string | undefined {
  const domain = parseXml(stored);
  const [wanted, got] = [readHardware(asked, hostCpus), readHardware(domain, hostCpus)];
  const missed = changedFields(change).filter((field) => fieldText(wanted, field) !== fieldText(got, field));
  if (missed.length === 0) return undefined;
  const told = missed.map((field) =>
    `libvirt leaves ${field} at ${fieldText(got, field) ?? "none"}, not ${fieldText(wanted, field) ?? "none"}`
  );
  const hasCells = child(child(domain, "cpu"), "numa") !== undefined &&
    missed.some((field) => OF_CELLS.has(field));
  const advice = hasCells ? ". The VM's NUMA cells determine it: change them in its XML" : "";
  return `${told.join("; ")}${advice}`;
}
