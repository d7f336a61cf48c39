/** The definition of a VM that comes back: as it was, but for what others have by now. Pure. */
import type { XmlDocument } from "../formats/xml/edit.ts";
import { dropMacs, nvramOf, setName, setUuid } from "../formats/xml/identity.ts";
import { child, children, type XmlElement } from "../formats/xml/tree.ts";
import type { KeptFile } from "./entry.ts";
import { splitPath } from "./place.ts";

type InPool = Pick<KeptFile, "path" | "pool">;

/** Properties of the restored VM that replace the former ones. */
export interface Restored {
  readonly uuid: string;
  readonly name: string;
  /** It has MAC addresses of its own: libvirt gives it new ones. */
  readonly newMacs: boolean;
  /** Paths of its files that are others by now; in the same folder. */
  readonly moved: readonly (readonly [from: string, to: string])[];
}

/** The source of a disk, and those of the images that it is said to be built on, or to be copied to. */
function sourcesIn(element: XmlElement): XmlElement[] {
  const below = ["backingStore", "mirror"].flatMap((name) => children(element, name));
  return [...children(element, "source"), ...below.flatMap(sourcesIn)];
}

const sourcesOf = (document: XmlDocument) => children(document.find("devices"), "disk").flatMap(sourcesIn);

/** Gives the disks that name files their new paths, each once. A volume is named by its pool and its name there. */
function renameDisks(document: XmlDocument, { moved }: Restored, files: readonly InPool[]): void {
  const paths = new Map(moved), poolOf = new Map(files.map(({ path, pool }) => [path, pool]));
  const volumes = new Map(
    moved.map(([from, to]) => [`${poolOf.get(from)}/${splitPath(from).name}`, splitPath(to).name]),
  );
  for (let index = 0; index < sourcesOf(document).length; index++) {
    const source = sourcesOf(document)[index]!, { file, pool, volume } = source.attributes;
    const path = file === undefined ? undefined : paths.get(file);
    const name = volume === undefined ? undefined : volumes.get(`${pool}/${volume}`);
    if (path !== undefined) document.setAttribute(source, "file", path);
    else if (name !== undefined) document.setAttribute(source, "volume", name);
  }
}

/** Gives the UEFI variables that name a file its new path. */
function renameNvram(document: XmlDocument, from: string, to: string): void {
  if (nvramOf(document) !== from) return;
  const nvram = document.find("os", "nvram")!, source = child(nvram, "source");
  if (source) document.setAttribute(source, "file", to);
  else document.setText(nvram, to);
}

/**
 * Changes a kept definition into the one that is defined.
 *
 * @param files what is kept of it, with the pools that they were in
 */
export function restoreDefinition(
  document: XmlDocument,
  restored: Restored,
  files: readonly InPool[],
): void {
  const { uuid, name, newMacs, moved } = restored;
  if ((child(document.root, "name")?.text ?? "") !== name) setName(document, name);
  if (child(document.root, "uuid")?.text.trim().toLowerCase() !== uuid) setUuid(document, uuid);
  if (newMacs) dropMacs(document);
  renameDisks(document, restored, files);
  for (const [from, to] of moved) renameNvram(document, from, to);
}
