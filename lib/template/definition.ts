/** The definition of a template: a VM's, without what is special to that VM or to its host. Pure. */
import { xml } from "../formats/xml/build.ts";
import { METADATA_PREFIX } from "../formats/xml/metadata.ts";
import type { XmlDocument } from "../formats/xml/edit.ts";
import { setMedium } from "../formats/xml/device_disk.ts";
import { freeMac } from "../formats/xml/device_nic.ts";
import { dropMacs } from "../formats/xml/identity.ts";
import { drivesOf, freeDrivePlace, scsiController, seedDisk } from "../formats/xml/seed_drive.ts";
import { child, children, type XmlElement } from "../formats/xml/tree.ts";

/** Devices that are the host's own, or one VM's at a time → what they are called. */
const OF_HOST: Readonly<Record<string, string>> = {
  filesystem: "a folder shared with this host",
  hostdev: "a device of this host",
  lease: "a lock of this host",
  shmem: "memory shared with other VMs",
};

const devices = (document: XmlDocument) => document.find("devices")?.children ?? [];

/** Property of a device that binds it to this host. */
function boundBy(device: XmlElement): string | undefined {
  const { name, attributes: { type } } = device;
  if (Object.hasOwn(OF_HOST, name)) return OF_HOST[name];
  if (name === "interface" && type === "hostdev") return "a network card of this host";
  if (name === "tpm" && child(device, "backend")?.attributes.type === "passthrough") {
    return "the TPM of this host";
  }
  if (name === "memory" && child(child(device, "source"), "path") !== undefined) {
    return "memory kept in a file";
  }
  return undefined;
}

/** Why a disk keeps a VM from being a template. */
function diskFault(disk: XmlElement): string | undefined {
  const { device = "disk" } = disk.attributes;
  if (device === "cdrom" || device === "floppy") return undefined;
  const target = child(disk, "target")?.attributes.dev ?? "";
  if (child(disk, "shareable") !== undefined) return `its disk ${target} is shared with other VMs`;
  if (device !== "disk") return `its disk ${target} is a device of this host`;
  return child(disk, "readonly") !== undefined ? `its disk ${target} is read-only` : undefined;
}

/** Why no template can be made of a definition: the end of a sentence. Undefined where one can. */
export function templateRefusal(document: XmlDocument): string | undefined {
  const raw = document.root.children.find(({ name }) => name.startsWith("qemu:"));
  if (raw !== undefined) return `its XML passes options to QEMU itself (${raw.name})`;
  for (const device of devices(document)) {
    const bound = boundBy(device);
    if (bound !== undefined) return `it has ${bound}. Remove that first`;
    const fault = device.name === "disk" ? diskFault(device) : undefined;
    if (fault !== undefined) return `${fault}. Detach it first`;
  }
  return undefined;
}

const isDrive = ({ name, attributes: { device } }: XmlElement) =>
  name === "disk" && (device === "cdrom" || device === "floppy");

/** Takes out what is special to the VM: media, MAC addresses, and the group, which gives people rights. */
export function sealDefinition(document: XmlDocument): void {
  const filled = () => devices(document).find((each) => isDrive(each) && child(each, "source") !== undefined);
  for (let drive = filled(); drive !== undefined; drive = filled()) {
    const target = child(drive, "target")?.attributes.dev;
    setMedium(
      document,
      () =>
        devices(document).find((each) => isDrive(each) && child(each, "target")?.attributes.dev === target)!,
      undefined,
    );
  }
  dropMacs(document);
  const group = child(document.find("metadata", `${METADATA_PREFIX}:vm`), "group") ??
    child(document.find("metadata", `${METADATA_PREFIX}:vm`), `${METADATA_PREFIX}:group`);
  if (group !== undefined) document.remove(group);
}

/** Gives every network card a MAC address that no VM has. @returns them, in the order of the cards */
export function giveMacs(document: XmlDocument, taken: ReadonlySet<string>): string[] {
  dropMacs(document);
  const known = new Set(taken), made: string[] = [];
  const cards = () => children(document.find("devices"), "interface");
  for (const index of cards().keys()) {
    const mac = freeMac(known);
    known.add(mac);
    made.push(mac);
    document.append(cards()[index]!, xml("mac", { address: mac }));
  }
  return made;
}

/** Puts a cloud-init seed into its drive, which is added where there is none. @returns whether there is a place for it */
export function putSeed(document: XmlDocument, path: string, isWindows: boolean): boolean {
  const found = drivesOf(document.toString());
  const old = found.seed;
  if (old !== undefined) {
    const drive = () =>
      devices(document).find((each) => child(each, "target")?.attributes.dev === old.target)!;
    document.replace(drive(), seedDisk({ ...old, path }));
    return true;
  }
  const place = freeDrivePlace(found, isWindows);
  if (place === undefined) return false;
  const parent = () => document.find("devices")!;
  if (place.bus === "scsi" && found.scsi === "none") document.append(parent(), scsiController());
  document.append(parent(), seedDisk({ ...place, path, alias: found.freeAlias }));
  return true;
}
