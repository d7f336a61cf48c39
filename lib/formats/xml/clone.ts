/** A domain's XML → that of a copy of it. */
import type { BackingImage } from "./new_vm.ts";
import { backingStoreXml } from "./backing_store.ts";
import { xml } from "./build.ts";
import type { XmlDocument } from "./edit.ts";
import { dropHostDevices, freeHostIdentities } from "./host_identities.ts";
import { dropMacs, nvramOf, setCreatedAt, setName, setUuid } from "./identity.ts";
import { setNvram } from "./nvram.ts";
import { protectNewDomain } from "./screen_passwords.ts";
import { dropTpmPlace } from "./tpm.ts";
import { child, type XmlElement } from "./tree.ts";

/** A disk of the copy's own. */
export interface CopiedDisk {
  readonly path: string;
  readonly format: string | undefined;
  /** libvirt's type of the volume it is: file, block. */
  readonly type: string;
  /** The images it is built on, nearest first. */
  readonly backing: readonly BackingImage[];
}

/** Properties of a copy that replace those of the original. */
export interface CopyMarks {
  readonly name: string;
  readonly uuid: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Disks of its own by their target (`vda`). */
  readonly disks: ReadonlyMap<string, CopiedDisk>;
  /** The file of its UEFI variables, where it has one already; without it libvirt makes one. */
  readonly nvram: string | undefined;
}

const devices = (document: XmlDocument) => document.find("devices")?.children ?? [];
const targetOf = (disk: XmlElement) => child(disk, "target")?.attributes.dev ?? "";

/**
 * Changes a domain's XML into a copy's. Whatever is not named here stays as it is.
 *
 * @returns the devices that stay with the original, for people
 */
export function makeCopy(document: XmlDocument, copy: CopyMarks): string[] {
  const original = child(document.root, "name")?.text ?? "";
  setName(document, copy.name);
  setUuid(document, copy.uuid);
  setCreatedAt(document, copy.createdAt);
  dropMacs(document);
  // A guest tells by it that it was copied; without a value libvirt makes a new one.
  const genid = document.find("genid");
  if (genid) document.setText(genid, crypto.randomUUID());
  if (nvramOf(document) !== undefined) setNvram(document, copy.nvram);
  dropTpmPlace(document);
  for (const target of copy.disks.keys()) setDisk(document, target, copy.disks.get(target)!);
  const left = [
    ...dropHostDevices(document),
    ...freeHostIdentities(document, { from: original, to: copy.name }),
  ];
  protectNewDomain(document);
  return left;
}

/** How a disk's source names what it is, by the disk's type. */
const SOURCE_ATTRIBUTES = ["file", "dev", "pool", "volume", "mode"];

/** Puts another image into a disk. What the old one was built on is none of the new one's. */
export function setDisk(
  document: XmlDocument,
  target: string,
  { path, format, type, backing }: CopiedDisk,
): void {
  const disk = () => devices(document).find((each) => each.name === "disk" && targetOf(each) === target);
  const chain = child(disk(), "backingStore");
  if (chain) document.remove(chain);
  const driver = child(disk(), "driver");
  if (driver && format !== undefined) document.setAttribute(driver, "type", format);
  // What QEMU keeps of an image's tables in memory: libvirt defines no raw disk with it.
  const cache = child(child(disk(), "driver"), "metadata_cache");
  if (cache && format !== "qcow2") document.remove(cache);
  const source = () => child(disk(), "source");
  if (!source()) return;
  // One on the network has its servers in it.
  if (source()!.attributes.protocol !== undefined) document.replace(source()!, xml("source"));
  for (const name of SOURCE_ATTRIBUTES) document.setAttribute(source()!, name, undefined);
  const isBlock = type === "block";
  document.setAttribute(source()!, isBlock ? "dev" : "file", path);
  document.setAttribute(disk()!, "type", isBlock ? "block" : "file");
  document.insertAfter(source()!, backingStoreXml(backing));
}
