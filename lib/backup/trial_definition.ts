/**
 * A VM's definition → that of a throw-away VM in which a copy of it is booted as a test. It reaches nothing: its network
 * cards have no link, and no device, folder or screen of the host is its. Pure.
 */
import { type CopiedDisk, makeCopy } from "../formats/xml/clone.ts";
import { nodeOf, xml, type XmlNode } from "../formats/xml/build.ts";
import { OWN_AGENT_CHANNEL, QEMU_AGENT_CHANNEL } from "../formats/xml/channel.ts";
import { setMedium } from "../formats/xml/device_disk.ts";
import type { XmlDocument } from "../formats/xml/edit.ts";
import { METADATA_PREFIX, METADATA_URI, THROW_AWAY } from "../formats/xml/metadata.ts";
import { child, children, type XmlElement } from "../formats/xml/tree.ts";

/** Properties of the temporary VM that replace those of the copy. */
export interface Trial {
  readonly name: string;
  readonly uuid: string;
  readonly description: string;
  readonly memoryMb: number;
  readonly cpuCount: number;
  /** Its disks, by target. */
  readonly disks: ReadonlyMap<string, CopiedDisk>;
  /** The file of its UEFI variables, where it has one already. */
  readonly nvram: string | undefined;
}

/** Parts that say where on the host a VM runs, how much it may take, or what becomes of it at its end. */
const DROPPED = [
  ...["metadata", "title", "description", "maxMemory", "currentMemory", "memoryBacking", "memtune", "vcpus"],
  ...["cputune", "numatune", "blkiotune", "resource", "throttlegroups", "perf"],
  ...["on_poweroff", "on_reboot", "on_crash", "on_lockfailure"],
];
/** Devices that it keeps. */
const KEPT: ReadonlySet<string> = new Set([
  ...["emulator", "disk", "controller", "interface", "serial", "channel", "input", "hub", "video"],
  ...["memballoon", "rng", "tpm", "panic", "iommu"],
]);
const AGENTS: ReadonlySet<string | undefined> = new Set([QEMU_AGENT_CHANNEL, OWN_AGENT_CHANNEL]);

/** A part of a device, where it has that. */
function part(device: XmlElement, name: string): XmlNode | false {
  const found = child(device, name);
  return found !== undefined && nodeOf(found);
}

/** A network card whose cable is out: QEMU drops what the guest sends, whatever it does. */
export const unpluggedCard = (card: XmlElement): XmlNode =>
  xml(
    "interface",
    { type: "ethernet" },
    part(card, "model"),
    xml("link", { state: "down" }),
    part(card, "address"),
  );

/** A serial line that no program reads. */
const serialLine = (line: XmlElement): XmlNode =>
  xml("serial", { type: "pty" }, part(line, "target"), part(line, "address"));

/** The channel of an agent; libvirt chooses its socket. */
const agentChannel = (channel: XmlElement): XmlNode =>
  xml(
    "channel",
    { type: "unix" },
    xml("target", {
      type: "virtio",
      name: child(channel, "target")?.attributes.name,
    }),
  );

/** A graphics card that needs nothing of the host's. */
function plainVideo(video: XmlElement): XmlNode {
  const { type = "vga" } = child(video, "model")?.attributes ?? {};
  return xml("video", {}, xml("model", { type: type === "none" ? "vga" : type }), part(video, "address"));
}

/** A TPM of which nothing is kept after the VM's end. */
function briefTpm(tpm: XmlElement): XmlNode {
  const backend = child(tpm, "backend")!, { type, version } = backend.attributes;
  return xml(
    "tpm",
    { model: tpm.attributes.model },
    xml("backend", { type, version }, part(backend, "encryption"), part(backend, "active_pcr_banks")),
    part(tpm, "address"),
  );
}

/** Devices that become others: name → what it becomes. */
const REMADE: Readonly<Record<string, (device: XmlElement) => XmlNode>> = {
  interface: unpluggedCard,
  serial: serialLine,
  channel: agentChannel,
  video: plainVideo,
  tpm: briefTpm,
};

/** Whether a device stays in some way. */
function isKept(device: XmlElement, disks: Trial["disks"]): boolean {
  const target = child(device, "target")?.attributes;
  if (device.name === "channel") return AGENTS.has(target?.name);
  if (device.name === "tpm") return child(device, "backend")?.attributes.type === "emulator";
  if (device.name !== "disk") return KEPT.has(device.name);
  return ["cdrom", "floppy"].includes(device.attributes.device ?? "") || disks.has(target?.dev ?? "");
}

/**
 * Changes a confined definition (`confine.ts`) into that of the throw-away VM.
 *
 * @param document of which nothing reaches into the host but what the host has just the same
 */
export function makeTrial(document: XmlDocument, trial: Trial): void {
  const { name, uuid, disks, nvram, memoryMb, cpuCount, description } = trial;
  const all = () => document.find("devices")?.children ?? [];
  for (let gone = all().find((each) => !isKept(each, disks)); gone !== undefined;) {
    document.remove(gone);
    gone = all().find((each) => !isKept(each, disks));
  }
  makeCopy(document, { name, uuid, createdAt: 0, disks, nvram });
  for (const dropped of DROPPED) {
    const found = document.find(dropped);
    if (found !== undefined) document.remove(found);
  }
  document.replace(document.find("memory")!, xml("memory", { unit: "MiB" }, memoryMb));
  const cpus = document.find("vcpu"), wanted = Number(cpus?.attributes.current ?? cpus?.text ?? 1);
  if (cpus !== undefined) document.replace(cpus, xml("vcpu", {}, cpuCount));
  // Cells have memory of their own, and a topology has just so many CPUs.
  const isOther = wanted !== cpuCount || cpus?.attributes.current !== undefined;
  for (const dropped of ["numa", ...isOther ? ["topology"] : []]) {
    const found = document.find("cpu", dropped);
    if (found !== undefined) document.remove(found);
  }
  const menu = document.find("os", "bootmenu");
  if (menu !== undefined) document.remove(menu);
  for (let index = 0; index < all().length; index++) {
    const device = all()[index]!, remake = REMADE[device.name];
    if (remake !== undefined) document.replace(device, remake(device));
    else if (device.name === "disk") plainDisk(document, () => all()[index]!);
  }
  if (children(document.find("devices"), "video").length === 0) {
    document.append(document.find("devices")!, xml("video", {}, xml("model", { type: "vga" })));
  }
  document.insertAfter(document.find("uuid")!, xml("description", {}, description));
  document.insertAfter(
    document.find("description")!,
    xml(
      "metadata",
      {},
      xml(`${METADATA_PREFIX}:vm`, {
        [`xmlns:${METADATA_PREFIX}`]: METADATA_URI,
        [THROW_AWAY.name]: THROW_AWAY.value,
      }),
    ),
  );
}

/** Drives are empty, and no disk is slowed down. */
function plainDisk(document: XmlDocument, find: () => XmlElement): void {
  if (["cdrom", "floppy"].includes(find().attributes.device ?? "")) setMedium(document, find, undefined);
  const limit = child(find(), "iotune");
  if (limit !== undefined) document.remove(limit);
}
