/** Devices that can be added to a VM, and the links to their forms on its hardware page. Pure. */
import type { Hardware, HardwareOptions } from "../contract/mod.ts";
import { type Bounds, type HardwareSectionName, TPMS } from "./hardware_form.ts";

/** Devices that are added by a form of their own. */
export const FORM_DEVICES = ["disk", "cdrom", "nic", "share"] as const;
/** One of {@link FORM_DEVICES}. */
export type FormDevice = typeof FORM_DEVICES[number];
/** Devices that a VM has one of, or none: a field of the page's forms. */
export type SingleKind = "tpm" | "watchdog" | "rng" | "sound" | "video";

/** Something that can be added. */
export interface Addable {
  readonly kind: FormDevice | SingleKind;
  /** A running VM gets it when it is shut down and started again. */
  readonly needsRestart: boolean;
  /** Why it cannot be added. */
  readonly refused?: "present" | "swtpm" | "not_here" | "virtiofsd" | "administrators";
  /** The field that adds it, and what it is set to. */
  readonly field?: { readonly section: HardwareSectionName; readonly name: string; readonly value: string };
}

/** The first of them that the host has; where it does not tell, the first. */
function first(values: readonly string[], isHere: (value: string) => boolean): string | undefined {
  return values.find((value) => value !== "none" && isHere(value));
}

/**
 * Everything that can be added to a VM, in the order it is offered.
 *
 * @param mayShare who looks may share folders of the host
 */
export function addableTo(
  next: Hardware,
  options: HardwareOptions | null,
  bounds: Bounds,
  { mayShare }: { readonly mayShare: boolean },
): Addable[] {
  const single = (
    kind: SingleKind,
    section: HardwareSectionName,
    value: string | undefined,
    isThere: boolean,
    missing: "swtpm" | "not_here" = "not_here",
  ): Addable => ({
    kind,
    needsRestart: true,
    ...(isThere
      ? { refused: "present" as const }
      : value === undefined
      ? { refused: missing }
      : { field: { section, name: kind, value } }),
  });
  const { tpm, watchdog, rng, sound, video } = next;
  return [
    { kind: "disk", needsRestart: false },
    // QEMU's usual buses of drives take none while the VM runs.
    { kind: "cdrom", needsRestart: true },
    { kind: "nic", needsRestart: false },
    {
      kind: "share",
      // At once only where the VM was started with shared memory.
      needsRestart: true,
      ...(!mayShare
        ? { refused: "administrators" as const }
        : options?.shareDrivers.includes("virtiofs") === false
        ? { refused: "virtiofsd" as const }
        : {}),
    },
    single(
      "tpm",
      "firmware",
      first(
        TPMS,
        (each) => options === null || (options.tpm && options.tpmModels.includes(each.split(" ")[0]!)),
      ),
      tpm !== null,
      "swtpm",
    ),
    single(
      "video",
      "devices",
      first(bounds.videos, (each) => options?.videoModels.includes(each) ?? true),
      video !== null && video !== "none",
    ),
    single("sound", "devices", bounds.sounds[0], sound !== null),
    single("watchdog", "devices", bounds.watchdogs[0], watchdog !== null),
    single("rng", "devices", "yes", rng),
  ];
}
