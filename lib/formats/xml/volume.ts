/** libvirt's volume XML ⇄ what we know of a volume. */
import { renderXml, xml, type XmlNode } from "./build.ts";
import { child, childText, parseXml, type XmlElement } from "./tree.ts";

/** Fields of a volume in its XML. Sizes in bytes. */
export interface VolumeSummary {
  readonly name: string;
  readonly path: string;
  /** file, block, dir, network, … */
  readonly type: string;
  /** qcow2, raw, iso, …; undefined where the pool has no formats (LVM). libvirt read it from the file's head. */
  readonly format: string | undefined;
  /** Size that the guest sees. */
  readonly capacity: number;
  /** Space that it uses. */
  readonly allocation: number;
  /** When its file was changed last: its content, its name or rights. Undefined for what is no file. */
  readonly changed: string | undefined;
  /** Backing image. */
  readonly backing: { readonly path: string; readonly format: string | undefined } | undefined;
  /** How it is encrypted, and the UUID of libvirt's secret with the passphrase where there is one. */
  readonly encryption: { readonly format: string; readonly secret: string | undefined } | undefined;
}

const integer = (text: string | undefined) => Number(text ?? 0);

/** Both times: one replaced by another file of its age differs in the second. */
function changedAt(timestamps: XmlElement | undefined): string | undefined {
  const [content, file] = [childText(timestamps, "mtime"), childText(timestamps, "ctime")];
  return content === undefined || file === undefined ? undefined : `${content}-${file}`;
}

/** Reads a volume's XML. libvirt writes its sizes in bytes. @throws {XmlError} */
export function summarizeVolume(source: string): VolumeSummary {
  const root = parseXml(source);
  const target = child(root, "target");
  const backing = child(root, "backingStore");
  const backingPath = childText(backing, "path");
  const encryption = child(target, "encryption");
  return {
    name: childText(root, "name") ?? "",
    path: childText(target, "path") ?? "",
    type: root.attributes.type ?? "file",
    format: child(target, "format")?.attributes.type,
    capacity: integer(childText(root, "capacity")),
    allocation: integer(childText(root, "allocation")),
    changed: changedAt(child(target, "timestamps")),
    backing: backingPath === undefined
      ? undefined
      : { path: backingPath, format: child(backing, "format")?.attributes.type },
    encryption: encryption === undefined ? undefined : {
      format: encryption.attributes.format ?? "",
      secret: child(encryption, "secret")?.attributes.uuid,
    },
  };
}

/** A volume to be made. Sizes in bytes. */
export interface NewVolume {
  readonly name: string;
  readonly capacity: number;
  /** Space to allocate at once; the rest as it is written. */
  readonly allocation?: number;
  /** Undefined in pools without formats. */
  readonly format?: string | undefined;
  /** The image it is built on: its format is always said, it must never be guessed from what a guest wrote. */
  readonly backing?: { readonly path: string; readonly format: string } | undefined;
  /** UUID of libvirt's secret with the passphrase, for a volume that is encrypted with LUKS. */
  readonly secret?: string | undefined;
}

/** How an image is opened that is encrypted with LUKS: in a volume's target, and in a disk's source. */
export function luksXml(secret: string): XmlNode {
  return xml("encryption", { format: "luks" }, xml("secret", { type: "passphrase", uuid: secret }));
}

/** The XML that makes a volume. Mode 0600: the content of a disk is private. */
export function volumeXml({ name, capacity, allocation, format, backing, secret }: NewVolume): string {
  return renderXml(xml(
    "volume",
    {},
    xml("name", {}, name),
    xml("capacity", { unit: "bytes" }, capacity),
    allocation !== undefined && xml("allocation", { unit: "bytes" }, allocation),
    xml(
      "target",
      {},
      format !== undefined && xml("format", { type: format }),
      // libvirt would make a version that keeps no marks of what changed: every backup would read all of it.
      format === "qcow2" && xml("compat", {}, "1.1"),
      xml("permissions", {}, xml("mode", {}, "0600")),
      secret !== undefined && luksXml(secret),
    ),
    backing &&
      xml("backingStore", {}, xml("path", {}, backing.path), xml("format", { type: backing.format })),
  ));
}

/** Type and target of a pool, in its XML. */
export interface PoolSummary {
  readonly type: string;
  readonly path: string | undefined;
}

/** Reads a pool's XML. @throws {XmlError} */
export function summarizePool(source: string): PoolSummary {
  const root = parseXml(source);
  return { type: root.attributes.type ?? "", path: childText(child(root, "target"), "path") };
}

/** The XML of a pool that is a folder. */
export function folderPoolXml(name: string, path: string): string {
  return renderXml(
    xml("pool", { type: "dir" }, xml("name", {}, name), xml("target", {}, xml("path", {}, path))),
  );
}
