/**
 * A definition that comes from a folder of backups, without what would let it reach into the host: whoever can write to
 * the folder's disk or share can change it, and libvirt does as root what it says. Devices of the host, files outside the
 * places where libvirt keeps a VM's own, and words to QEMU are taken out, unless the VM has just the same now. Pure.
 */
import { xml } from "../formats/xml/build.ts";
import type { XmlDocument } from "../formats/xml/edit.ts";
import { setMedium } from "../formats/xml/device_disk.ts";
import { nvramOf } from "../formats/xml/identity.ts";
import { isHostDevice } from "../formats/xml/host_identities.ts";
import { setNvram } from "../formats/xml/nvram.ts";
import { child, children, type XmlElement } from "../formats/xml/tree.ts";
import { oneLine } from "../text/text.ts";
import { confineCards, confineScreens, dropPortFiles, PORT_FILES, PORTS } from "./host_ends.ts";
import { sameness } from "./sameness.ts";

/** Parts of a definition that say what the VM is. Words to QEMU, labels of its process, boot loaders of the host do not. */
const PARTS: ReadonlySet<string> = new Set([
  ...["name", "uuid", "genid", "title", "description", "metadata", "memory", "currentMemory", "maxMemory"],
  ...["memoryBacking", "memtune", "vcpu", "vcpus", "iothreads", "iothreadids", "defaultiothread", "cputune"],
  ...["numatune", "blkiotune", "throttlegroups", "sysinfo", "keywrap", "os", "features", "cpu"],
  ...["clock", "on_poweroff", "on_reboot", "on_crash", "on_lockfailure", "pm", "perf", "devices"],
]);
/** Parts of `<os>`; a kernel, a device tree or an ACPI table is a file of the host that the guest would read. */
const OS_PARTS: ReadonlySet<string> = new Set(
  ["type", "boot", "bootmenu", "bios", "smbios", "firmware", "cmdline", "loader", "nvram"],
);
/** Devices that are a VM's own. */
const DEVICES: ReadonlySet<string> = new Set([
  ...["emulator", "disk", "controller", "interface", "serial", "parallel", "console", "channel", "input"],
  ...["hub", "graphics", "video", "sound", "audio", "watchdog", "memballoon", "rng", "tpm", "panic", "vsock"],
  ...["iommu", "redirdev", "redirfilter", "memory", "nvram", "crypto", "smartcard"],
]);
/** Parts of a disk that say what the guest sees. Its source is another one, and what that was built on none of it. */
const DISK_PARTS: ReadonlySet<string> = new Set([
  ...["driver", "source", "target", "serial", "wwn", "vendor", "product", "boot", "iotune", "address"],
  ...["alias", "blockio", "geometry"],
]);

const ofTypes = (...types: string[]): (device: XmlElement) => boolean => {
  const known: ReadonlySet<string | undefined> = new Set(types);
  return ({ attributes: { type } }) => known.has(type);
};
const port = ofTypes("pty", "unix", "null", "vc", "spicevmc", "spiceport", "qemu-vdagent", "dbus");
/** A program that is installed; QEMU's user runs it. */
const EMULATOR = /^\/(usr\/(local\/)?)?(s?bin|libexec|lib)\/([^/]+\/)?(qemu-system-[^/]+|qemu-kvm|kvm)$/;

/** Kinds of devices of which only some are a VM's own. */
const OWN: Readonly<Record<string, (device: XmlElement) => boolean>> = {
  emulator: ({ text }) => EMULATOR.test(text.trim()),
  interface: ofTypes("network", "bridge", "direct", "user", "internal"),
  serial: port,
  parallel: port,
  console: port,
  channel: port,
  redirdev: ofTypes("spicevmc"),
  smartcard: ofTypes("spicevmc"),
  input: ofTypes("tablet", "mouse", "keyboard"),
  graphics: ofTypes("vnc", "spice"),
  audio: ofTypes("none", "spice"),
  tpm: (device) => child(device, "backend")?.attributes.type === "emulator",
};

const SOURCES_OF_RANDOM: ReadonlySet<string> = new Set(["/dev/urandom", "/dev/random", "/dev/hwrng"]);
/** Attributes that name a file also without a slash: one of the folder that QEMU runs in. */
const FILE_ATTRIBUTES: ReadonlySet<string> = new Set([
  ...["path", "file", "socket", "logFile", "logfile", "tap", "vhost", "rendernode", "xauth", "template"],
]);
/** Elements of devices whose text is a number. What others say is the name of a file, with a slash or without. */
const PLAIN_TEXTS: ReadonlySet<string> = new Set([
  ...["size", "block", "requested", "current", "node", "pagesize", "nodemask", "alignsize", "label"],
]);
/** Folder where libvirt keeps UEFI variables. */
const NVRAM = /^\/var\/lib\/libvirt\/qemu\/nvram\/[^/]+$/;
const FIRMWARE = /^\/usr\/(share|lib)\//;

const climbs = (path: string) => path.split("/").includes("..");
const isFirmware = (path: string) => FIRMWARE.test(path) && !climbs(path);

/** A file that an element names; undefined where there is none. */
function foreignFile({ name, attributes, text, children: parts }: XmlElement): string | undefined {
  for (const [key, value] of Object.entries(attributes)) {
    if (FILE_ATTRIBUTES.has(key) || value.startsWith("/")) return value;
  }
  const said = text.trim();
  if (said !== "" && !PLAIN_TEXTS.has(name) && !SOURCES_OF_RANDOM.has(said)) return said;
  for (const part of parts) {
    const found = foreignFile(part);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A device or part, for people. */
function called(element: XmlElement): string {
  const { name, attributes: { type, mode } } = element;
  return oneLine([name, type ?? mode ?? ""].filter((part) => part !== "").join(" "), 80);
}

const ofHost = "it reaches into the host";

/** A port without what {@link dropPortFiles} takes out. */
const withoutPortFiles = (port: XmlElement): XmlElement => ({
  ...port,
  children: port.children.filter(({ name }) => !PORT_FILES.some((each) => each === name)),
});

/** Why a device is none of the VM's own; undefined where it is. Disks are judged with their content. */
function deviceFault(device: XmlElement): string | undefined {
  const { name } = device;
  if (name === "disk") return undefined;
  const isOther = !DEVICES.has(name) || isHostDevice(device);
  if (isOther || (Object.hasOwn(OWN, name) && !OWN[name]!(device))) return ofHost;
  const file = name === "emulator"
    ? undefined
    : foreignFile(PORTS.has(name) ? withoutPortFiles(device) : device);
  return file === undefined ? undefined : `it names ${oneLine(file, 200)}, a file of the host`;
}

/** Why a part of `<os>` is not taken. */
function osFault(part: XmlElement): string | undefined {
  const { name, attributes: { template, type, readonly } } = part;
  if (!OS_PARTS.has(name)) return "it is a file of the host";
  const path = part.text.trim() || (child(part, "source")?.attributes.file ?? "");
  if (name === "loader" && path !== "") {
    // What a guest may write to, libvirt gives to QEMU's user.
    const isSafe = isFirmware(path) && (readonly === "yes" || type === "rom");
    return isSafe ? undefined : "it is no firmware that is installed, or may be written to";
  }
  if (name !== "nvram") return undefined;
  const isOwn = (type === undefined || type === "file") && (path === "" || NVRAM.test(path)) && !climbs(path);
  return isOwn && (template === undefined || isFirmware(template))
    ? undefined
    : "it is no file where libvirt keeps UEFI variables";
}

const namesFile = (part: XmlElement): boolean =>
  Object.entries(part.attributes).some(([key, value]) => FILE_ATTRIBUTES.has(key) || value.startsWith("/")) ||
  part.children.some(namesFile);

/** Why a part of the definition is not taken. */
function partFault(part: XmlElement): string | undefined {
  if (!PARTS.has(part.name)) return ofHost;
  const isJudged = ["os", "devices", "metadata"].includes(part.name);
  return isJudged || !namesFile(part) ? undefined : "it names a file of the host";
}

/**
 * Takes out what would reach into the host.
 *
 * @param now the definition that the host has of the VM; what is the same there stays
 * @returns what was taken out, as sentences
 */
export function confineDefinition(document: XmlDocument, now: XmlDocument | undefined): string[] {
  const told: string[] = [];
  const drop = (within: string | undefined, faultOf: (element: XmlElement) => string | undefined) => {
    const list = (of: XmlDocument | undefined) =>
      (within === undefined ? of?.root : of?.find(within))?.children ?? [];
    const known = new Set(list(now).map(sameness));
    const next = () =>
      list(document).find((each) => faultOf(each) !== undefined && !known.has(sameness(each)));
    for (let found = next(); found !== undefined; found = next()) {
      told.push(`${called(found)} was taken out: ${faultOf(found)}. Add it again if it belongs to the VM`);
      document.remove(found);
    }
  };
  // Of what is there twice only one would be looked at.
  for (const name of PARTS) {
    const second = () => children(document.root, name)[1];
    for (let found = second(); found !== undefined; found = second()) {
      told.push(`A second <${name}> was taken out`);
      document.remove(found);
    }
  }
  drop(undefined, partFault);
  drop("os", osFault);
  drop("devices", deviceFault);
  told.push(...dropPortFiles(document, now));
  told.push(...confineCards(document, now));
  confineScreens(document, now);
  return told;
}

/** Takes out of a restored disk what QEMU would open in addition to its content. */
export function confineDisk(document: XmlDocument, find: () => XmlElement | undefined): void {
  for (const name of ["rawio", "sgio"]) {
    const disk = find();
    if (disk !== undefined) document.setAttribute(disk, name, undefined);
  }
  const other = () =>
    find()?.children.find((part, index, all) =>
      !DISK_PARTS.has(part.name) || all.findIndex(({ name }) => name === part.name) < index
    );
  for (let part = other(); part !== undefined; part = other()) document.remove(part);
  const source = child(find(), "source");
  if (source !== undefined) document.replace(source, xml("source"));
}

/**
 * Leaves a definition no other files than its own: disks of others go, drives are emptied, variables are where libvirt has
 * them.
 *
 * @param paths where its own files are
 * @returns what was taken out, as sentences
 */
export function confineFiles(document: XmlDocument, paths: ReadonlySet<string>): string[] {
  const told: string[] = [];
  const disks = () => children(document.find("devices"), "disk");
  for (let index = 0; index < disks().length;) {
    const disk = () => disks()[index]!;
    const { device = "disk", type } = disk().attributes;
    const { file, ...other } = child(disk(), "source")?.attributes ?? {};
    const isOwn = type === "file" && file !== undefined && paths.has(file);
    if (device === "cdrom" || device === "floppy") {
      if (mediumIn(disk()) !== undefined) setMedium(document, disk, undefined);
      index++;
    } else if (isOwn) {
      for (const name of ["rawio", "sgio"]) document.setAttribute(disk(), name, undefined);
      index++;
    } else {
      const path = oneLine(file ?? Object.values(other).join("/"), 200);
      told.push(`Disk ${path} was left out: it is not among the files of this entry`);
      document.remove(disk());
    }
  }
  const variables = nvramOf(document);
  if (variables !== undefined && !paths.has(variables)) setNvram(document, undefined);
  return told;
}

/** A medium as a drive names it; `elsewhere`: a device, or on the network. */
export type Medium =
  | { readonly path: string }
  | { readonly volume: { readonly pool: string; readonly name: string } }
  | "elsewhere";

/** Medium in a drive; undefined for an empty one. */
export function mediumIn(drive: XmlElement): Medium | undefined {
  const source = child(drive, "source")?.attributes;
  if (source === undefined) return undefined;
  const { type = "file" } = drive.attributes, { file, pool, volume } = source;
  if (type === "file" && file !== undefined) return { path: file };
  const isVolume = type === "volume" && pool !== undefined && volume !== undefined;
  return isVolume ? { volume: { pool, name: volume } } : "elsewhere";
}

/** Whether a definition has a medium in one of its drives. */
export const hasMedium = (now: XmlDocument | undefined, medium: Medium): boolean =>
  medium !== "elsewhere" &&
  children(now?.find("devices"), "disk").some((disk) =>
    ["cdrom", "floppy"].includes(disk.attributes.device ?? "") &&
    JSON.stringify(mediumIn(disk)) === JSON.stringify(medium)
  );
