/**
 * Hints for features that OVF has no word for. An exported VM has them in an element of our own that other programs
 * pass over (`ovf:required="false"`), so that it comes back as it was.
 */
import { DISK_BUSES, NIC_MODELS } from "../../contract/choices.ts";
import type { XmlElement } from "../xml/tree.ts";
import { attribute, parts } from "./tree.ts";

/** The element's name, and its namespace. */
export const HINTS = "KvmManagerSection";
export const HINTS_URI = "https://kvm-manager.org/ovf/1";

/** By the order of disks and cards; undefined where nothing is said. */
export interface Hints {
  readonly buses: readonly (typeof DISK_BUSES[number] | undefined)[];
  readonly nics: readonly (typeof NIC_MODELS[number] | undefined)[];
}

/** Reads them: anybody may have written them, so words that are not known count as none. */
export function hintsIn(element: XmlElement | undefined): Hints {
  const oneOf = <T extends string>(words: readonly T[], text: string | undefined) =>
    words.find((word) => word === text);
  return {
    buses: parts(element, "Disk").map((disk) => oneOf(DISK_BUSES, attribute(disk, "bus"))),
    nics: parts(element, "Nic").map((nic) => oneOf(NIC_MODELS, attribute(nic, "model"))),
  };
}
