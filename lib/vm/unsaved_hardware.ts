/** Unsaved changes to a VM's hardware on its page, and those that need a restart. Pure. */
import type { Hardware, HardwareChange } from "../contract/mod.ts";

/** A field that is not as it is stored. */
export interface Unsaved {
  /** As errors name it: `cpu.count`, `tpm`. */
  readonly field: string;
  /** The running VM takes it only when it is shut down and started again. */
  readonly needsRestart: boolean;
}

/** Parts of the hardware whose fields are told apart: `cpu.count`. */
const PARTS: ReadonlySet<string> = new Set(["cpu", "memory", "boot"]);

/** Field → its value. */
function valuesOf(from: HardwareChange | Hardware): Map<string, unknown> {
  return new Map(
    Object.entries(from).flatMap(([name, value]) =>
      PARTS.has(name)
        ? Object.entries(value as object).map(([field, each]) => [`${name}.${field}`, each] as const)
        : [[name, value] as const]
    ),
  );
}

/** Whether a value asks for no more than what is there: of a TPM its model and version, not its backend. */
function agrees(value: unknown, there: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return JSON.stringify(value) === JSON.stringify(there);
  }
  return typeof there === "object" && there !== null &&
    Object.entries(value).every(([name, each]) => (there as Record<string, unknown>)[name] === each);
}

/** Changes that a running VM accepts at once, and whether it accepts this value: the command's own rules. */
const AT_ONCE: Readonly<Record<string, (value: unknown, live: Hardware) => boolean>> = {
  "cpu.count": (value, { cpu }) => Number(value) <= cpu.max,
  "cpu.pinning": () => true,
  "memory.currentMb": (value, { memory }) => Number(value) <= memory.maxMb,
  title: () => true,
  description: () => true,
};
/** No part of the hardware: they apply to a running VM whatever else waits. */
const ALWAYS: ReadonlySet<string> = new Set(["autostart", "tags"]);

/** Whether a running VM can take a field at once; most values of it, that is. */
export function appliesAtOnce(field: string): boolean {
  return Object.hasOwn(AT_ONCE, field) || ALWAYS.has(field);
}

/**
 * The fields that a change changes.
 *
 * @param next what is stored, which the change is about
 * @param live what it runs with; null when it is off, and then nothing needs a restart
 * @param nextBootOnly the running VM is to be left as it is
 */
export function unsavedIn(
  change: HardwareChange,
  { next, live }: { next: Hardware; live: Hardware | null },
  nextBootOnly = false,
): Unsaved[] {
  const [stored, running] = [valuesOf(next), live && valuesOf(live)];
  return [...valuesOf(change)].filter(([field, value]) => !agrees(value, stored.get(field))).map((
    [field, value],
  ) => ({
    field,
    needsRestart: live !== null && !ALWAYS.has(field) && !agrees(value, running!.get(field)) &&
      (nextBootOnly || !(Object.hasOwn(AT_ONCE, field) && AT_ONCE[field]!(value, live))),
  }));
}
