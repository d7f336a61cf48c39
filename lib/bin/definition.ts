/** The definition of a VM that comes back: as it was, but for what others have by now. Pure. */
import type { XmlDocument } from "../formats/xml/edit.ts";
import { dropMacs, nvramOf, setName, setUuid } from "../formats/xml/identity.ts";
import { child, children } from "../formats/xml/tree.ts";
import { splitPath } from "./place.ts";

/** What of it is not as it was. */
export interface Restored {
  readonly uuid: string;
  readonly name: string;
  /** It has MAC addresses of its own: libvirt gives it new ones. */
  readonly newMacs: boolean;
  /** Paths of its files that are others by now; in the same folder. */
  readonly moved: readonly (readonly [from: string, to: string])[];
}

const disks = (document: XmlDocument) => children(document.find("devices"), "disk");

/** Gives the disks that name a file its new path. A volume is named by its pool and its name there. */
function renameDisk(document: XmlDocument, from: string, to: string): void {
  const [before, after] = [splitPath(from).name, splitPath(to).name];
  for (let index = 0; index < disks(document).length; index++) {
    const source = () => child(disks(document)[index], "source");
    const { file, volume } = source()?.attributes ?? {};
    if (file === from) document.setAttribute(source()!, "file", to);
    else if (volume === before) document.setAttribute(source()!, "volume", after);
  }
}

/** Gives the UEFI variables that name a file its new path. */
function renameNvram(document: XmlDocument, from: string, to: string): void {
  if (nvramOf(document) !== from) return;
  const nvram = document.find("os", "nvram")!, source = child(nvram, "source");
  if (source) document.setAttribute(source, "file", to);
  else document.setText(nvram, to);
}

/** Changes a kept definition into the one that is defined. */
export function restoreDefinition(document: XmlDocument, { uuid, name, newMacs, moved }: Restored): void {
  if ((child(document.root, "name")?.text ?? "") !== name) setName(document, name);
  if (child(document.root, "uuid")?.text.trim().toLowerCase() !== uuid) setUuid(document, uuid);
  if (newMacs) dropMacs(document);
  for (const [from, to] of moved) {
    renameDisk(document, from, to);
    renameNvram(document, from, to);
  }
}
