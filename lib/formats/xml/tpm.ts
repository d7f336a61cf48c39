/** The emulated TPM of a domain. */
import type { XmlDocument } from "./edit.ts";
import { child, children, type XmlElement } from "./tree.ts";

/** Backend of its emulated TPM; undefined without one. */
const emulator = (document: XmlDocument): XmlElement | undefined =>
  children(document.find("devices"), "tpm")
    .map((tpm) => child(tpm, "backend"))
    .find((backend) => backend?.attributes.type === "emulator");

/** Whether a domain has a TPM of its own, whose state libvirt keeps by the domain's UUID. */
export const hasEmulatedTpm = (document: XmlDocument): boolean => emulator(document) !== undefined;

/** The place that somebody chose for the state of a domain's TPM; undefined where libvirt has chosen it. */
export function chosenTpmPlace(document: XmlDocument): string | undefined {
  const source = child(emulator(document), "source");
  return source && (source.attributes.path ?? source.attributes.type ?? "");
}

/** The secret of libvirt that the state of a domain's TPM is encrypted with. */
export const tpmSecret = (document: XmlDocument): string | undefined =>
  child(emulator(document), "encryption")?.attributes.secret;

/** Leaves it to libvirt where the state of a domain's TPM is: two domains cannot have one. */
export function dropTpmPlace(document: XmlDocument): void {
  const source = child(emulator(document), "source");
  if (source !== undefined) document.remove(source);
}
