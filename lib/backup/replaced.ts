/**
 * Finds the disks of a VM that a copy replaces, by the identity of their images: a name like `vdb` may be another
 * disk's later. Pure.
 */
import { RESTORED_PREFIX } from "../formats/xml/metadata.ts";
import { child, escapeXml, type XmlElement } from "../formats/xml/tree.ts";

/** A disk of a copy, and what it was. */
export interface CopiedFrom {
  readonly target: string;
  /** Identity of the image; undefined in copies without it. */
  readonly origin: string | undefined;
  /** The path that the definition of the copy has. */
  readonly path: string | undefined;
}

/** A disk that a VM has now, and which image it is. */
export interface PresentDisk {
  readonly target: string;
  readonly source: string | undefined;
  readonly device: string;
  readonly readOnly: boolean;
  readonly shareable: boolean;
  readonly image: string | undefined;
}

/** Path of a disk → the images that it was, or took the place of: by moves, merges and restores before. */
export type Lineage = ReadonlyMap<string, readonly string[]>;

/** Images that are remembered of a disk. */
const MOST_IMAGES = 32;

/**
 * The disk that each of a copy was, by the copy's target; media, and what several VMs or none write to, are left out.
 *
 * @returns target in the copy → the disk of now
 */
export function replacedBy<D extends PresentDisk>(
  copied: readonly CopiedFrom[],
  disks: readonly D[],
  lineage: Lineage,
): Map<string, D> {
  const own = disks.filter(({ device, readOnly, shareable }) =>
    (device === "disk" || device === "lun") && !readOnly && !shareable
  );
  const found = new Map<string, D>();
  for (const { target, origin, path } of copied) {
    const disk = own.find(({ source, image }) =>
      source !== undefined &&
      (origin === undefined
        ? source === path
        : image === origin || (lineage.get(source) ?? []).includes(origin))
    );
    if (disk !== undefined && ![...found.values()].includes(disk)) found.set(target, disk);
  }
  return found;
}

/** Images that a restored disk replaced: the copied one, the present one, and those that it had replaced. */
export function lineageOf(
  origin: string | undefined,
  replaced: PresentDisk | undefined,
  lineage: Lineage,
): string[] {
  const before = replaced?.source === undefined ? [] : lineage.get(replaced.source) ?? [];
  const all = [origin, replaced?.image, ...before].filter((each) => each !== undefined);
  return [...new Set(all)].slice(0, MOST_IMAGES);
}

/** The lineage with a disk that goes on in another image. @param after the path of that */
export function withSuccessor(
  lineage: Lineage,
  { path, image }: { readonly path: string; readonly image: string | undefined },
  after: string,
): Lineage {
  const all = [image, ...lineage.get(path) ?? [], ...lineage.get(after) ?? []];
  const images = [...new Set(all.filter((each) => each !== undefined))].slice(0, MOST_IMAGES);
  return new Map([...lineage, [after, images]]);
}

/** The lineage that a VM's metadata keeps. */
export function lineageIn(domain: XmlElement | undefined): Map<string, string[]> {
  const kept = child(child(domain, "metadata"), `${RESTORED_PREFIX}:disks`);
  const found = new Map<string, string[]>();
  for (const { attributes: { path, of } } of kept?.children ?? []) {
    if (path !== undefined && of !== undefined) found.set(path, [...found.get(path) ?? [], of]);
  }
  return found;
}

/** The metadata that keeps it; null where there is none. libvirt declares the namespace itself. */
export function lineageXml(lineage: Lineage): string | null {
  const rows = [...lineage].flatMap(([path, images]) =>
    images.map((image) => `<disk path="${escapeXml(path)}" of="${escapeXml(image)}"/>`)
  );
  return rows.length === 0 ? null : `<disks>${rows.join("")}</disks>`;
}
