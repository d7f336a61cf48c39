/**
 * The chain of images below a disk as libvirt's XML has it. A chain that ends with an empty `<backingStore/>` is
 * complete: libvirt gives QEMU just these images, and neither opens what a header names. Tried with libvirt 9.0: QEMU
 * gets `"backing":null`. The one thing it does not cover is a data file (`data-file` of qcow2), which QEMU opens all
 * the same. Pure. Source: "Hard drives, floppy disks, CDROMs" in libvirt's domain format.
 */
import type { BackingImage, DiskSource } from "./new_vm.ts";
import { xml, type XmlNode } from "./build.ts";
import { child, type XmlElement } from "./tree.ts";
import { luksXml } from "./volume.ts";

/** The `<source>` of a disk or of an image below it. */
export function sourceXml({ path, type, secret }: DiskSource): XmlNode {
  return xml(
    "source",
    { [type === "block" ? "dev" : "file"]: path },
    secret !== undefined && luksXml(secret),
  );
}

/** The whole chain below a disk, nearest image first; an empty element where it is built on nothing. */
export function backingStoreXml(backing: readonly BackingImage[]): XmlNode {
  return backing.reduceRight(
    (below, image) =>
      xml(
        "backingStore",
        { type: image.type },
        xml("format", { type: image.format }),
        sourceXml(image),
        below,
      ),
    xml("backingStore"),
  );
}

/** The chain below a disk as its XML says it. */
export interface DeclaredChain {
  /** Nearest first; an image that is no file and no device has its name as its path. */
  readonly images: readonly { readonly path: string; readonly format: string }[];
  /** Whether it ends with an empty element: libvirt then looks for no others. */
  readonly isComplete: boolean;
}

/** Reads the chain below a disk. */
export function declaredChain(disk: XmlElement): DeclaredChain {
  const images: { path: string; format: string }[] = [];
  for (let at = child(disk, "backingStore"); at !== undefined; at = child(at, "backingStore")) {
    const source = child(at, "source")?.attributes;
    if (source === undefined) return { images, isComplete: true };
    const path = source.file ?? source.dev ?? source.name ?? source.volume ?? "";
    images.push({ path, format: child(at, "format")?.attributes.type ?? "" });
  }
  return { images, isComplete: false };
}
