/** Reads and changes the image that a VM's definitions name for a disk that moves. */
import { type Mirror, mirrorOf } from "../../../../lib/formats/xml/block_copy.ts";
import { setDisk } from "../../../../lib/formats/xml/clone.ts";
import { summarizeDomain } from "../../../../lib/formats/xml/domain.ts";
import { XmlDocument } from "../../../../lib/formats/xml/edit.ts";
import type { LibvirtHost } from "../../../hosts/libvirt_host.ts";
import type { DiskMoved, MovedImage } from "../../../operations/step.ts";
import { pathOfDisk } from "../../../storage/disk_path.ts";
import { isOff } from "../../lifecycle/undefine.ts";
import { diskIn } from "../configurations.ts";

/** The images of a VM's disk. Without a path the VM has no such disk. */
export interface DiskPlaces {
  readonly isOn: boolean;
  /** Path that the running VM writes to. */
  readonly live: string | undefined;
  /** Path in the definition for the next start. */
  readonly next: string | undefined;
  /** Target that QEMU copies it to just now. */
  readonly mirror: Mirror | undefined;
}

type Which = Pick<DiskMoved, "uuid" | "target">;

async function pathIn({ link }: LibvirtHost, xml: string, target: string): Promise<string | undefined> {
  const disk = summarizeDomain(xml).disks.find((each) => each.target === target);
  return disk && await pathOfDisk(link, disk);
}

/** Asks libvirt; undefined where there is no such VM. @throws {LibvirtError} */
export async function placesOfDisk(
  host: LibvirtHost,
  { uuid, target }: Which,
): Promise<DiskPlaces | undefined> {
  const { link } = host;
  const domain = await link.call("domainRead", { uuid });
  if (domain === null) return undefined;
  const isOn = !isOff(domain);
  const read = (inactive: boolean) => link.call("domainXml", { uuid, secure: false, inactive });
  const next = domain.persistent || !isOn ? await pathIn(host, await read(true), target) : undefined;
  if (!isOn) return { isOn, live: undefined, next, mirror: undefined };
  const xml = await read(false), disk = diskIn(new XmlDocument(xml), target);
  return { isOn, live: await pathIn(host, xml, target), next, mirror: disk && mirrorOf(disk) };
}

/** Has the stored definition name an image as the disk. What else it says of the disk stays. @throws {LibvirtError} */
export async function nameImage(
  { link }: LibvirtHost,
  { uuid, target }: Which,
  image: MovedImage,
): Promise<void> {
  const document = new XmlDocument(await link.call("domainXml", { uuid, secure: true, inactive: true }));
  setDisk(document, target, image);
  await link.call("domainDefine", { xml: document.toString() });
}
