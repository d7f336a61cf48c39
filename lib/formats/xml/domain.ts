/** libvirt's domain XML → what lists and pages show of a VM. */
import { OS_TYPES } from "../../contract/choices.ts";
import type { Disk, Graphics, GuestAgentState, NetworkInterface, VM } from "../../contract/vm.ts";
import { declaredChain } from "./backing_store.ts";
import { agentChannelsIn, anyAgent } from "./channel.ts";
import { METADATA_PREFIX, SCREEN_PASSWORDS, THROW_AWAY } from "./metadata.ts";
import { namedPaths } from "./named_paths.ts";
import { hasGeneratedPasswords, hasOpenScreen } from "./screen_passwords.ts";
import { passedElements, takenByAddress } from "./taken_elements.ts";
import { child, children, childText, escapeXml, parseXml, type XmlElement } from "./tree.ts";

/** Backing images of a disk in a domain's XML. */
export interface TargetChain {
  readonly target: string;
  /** Paths of images, nearest first. */
  readonly bases: readonly string[];
  /** Whether that is all of them. */
  readonly isComplete: boolean;
}

/** Fields of a VM that its domain's XML has, in the contract's terms. */
export type DomainSummary =
  & Pick<VM, "cpuCount" | "maxCpuCount" | "memoryMb" | "maxMemoryMb" | "firmware" | "virtType" | "tags">
  & {
    title: string | undefined;
    description: string | undefined;
    osType: VM["osType"];
    osVariant: string | undefined;
    machine: string | undefined;
    arch: string | undefined;
    group: string | undefined;
    createdAt: number | undefined;
    /** The kind of operating system that our own metadata keeps: chosen without naming a system. */
    keptOsType: VM["osType"];
    guestAgent: GuestAgentState;
    guestAgents: VM["guestAgents"];
    disks: Disk[];
    interfaces: Omit<NetworkInterface, "ipAddress" | "ipAddresses">[];
    graphics: Graphics[];
    /** A screen asks for no password, as secure XML says; XML without secrets shows none. */
    openScreen: boolean;
    /** The passwords of its screens are made by KVM Manager. */
    generatedPasswords: boolean;
    /** It says of itself that it is one of ours that is there for a while alone. */
    throwAway: boolean;
    /** It has a device of the host: passed on, a card by SR-IOV, an NVMe disk. */
    takesDevices: boolean;
    /** Every path of the host that it names, whatever for. */
    paths: readonly string[];
    /** Those of them that no disk or drive names. */
    otherPaths: readonly string[];
    /** The disks of which it says what they are built on. */
    chains: readonly TargetChain[];
  };

/** Multipliers of libvirt's memory units, to KiB. Source: "Memory Allocation" in libvirt's domain format. */
const KIB: Readonly<Record<string, number>> = {
  b: 1 / 1024,
  bytes: 1 / 1024,
  KB: 1000 / 1024,
  k: 1,
  KiB: 1,
  MB: 1e6 / 1024,
  M: 1024,
  MiB: 1024,
  GB: 1e9 / 1024,
  G: 1048576,
  GiB: 1048576,
  TB: 1e12 / 1024,
  T: 1073741824,
  TiB: 1073741824,
};

/** A memory element in MiB; 0 when there is none. */
export function mebibytes(element: XmlElement | undefined): number {
  if (!element) return 0;
  return Math.round(Number(element.text) * (KIB[element.attributes.unit ?? "KiB"] ?? 1) / 1024);
}

const integer = (text: string | undefined) =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;

/** Sources of a disk by its type: which attributes of <source> name it. */
const DISK_SOURCE: Readonly<Record<string, readonly string[]>> = {
  file: ["file"],
  block: ["dev"],
  dir: ["dir"],
  volume: ["pool", "volume"],
  network: ["protocol", "name"],
  nvme: ["namespace"],
  vhostuser: ["path"],
  vhostvdpa: ["dev"],
};

function summarizeDisk(disk: XmlElement): Disk {
  const type = disk.attributes.type ?? "file";
  const source = child(disk, "source")?.attributes;
  const parts = (DISK_SOURCE[type] ?? []).map((name) => source?.[name]).filter((part) => part !== undefined);
  const format = child(disk, "driver")?.attributes.type;
  const device = disk.attributes.device ?? "disk";
  return {
    target: child(disk, "target")?.attributes.dev ?? "",
    bus: child(disk, "target")?.attributes.bus ?? "",
    device: device === "cdrom" || device === "floppy" || device === "lun" ? device : "disk",
    type,
    ...(parts.length > 0 && { source: parts.join("/") }),
    ...(format !== undefined && { format }),
    readOnly: child(disk, "readonly") !== undefined,
    shareable: child(disk, "shareable") !== undefined,
  };
}

/** Nothing of a disk whose XML leaves it open. */
function chainBelow(disk: XmlElement): TargetChain[] {
  if (child(disk, "backingStore") === undefined) return [];
  const { images, isComplete } = declaredChain(disk), target = child(disk, "target")?.attributes.dev ?? "";
  const bases = images.map(({ path }) => path).filter((path) => path.startsWith("/"));
  return [{ target, bases, isComplete }];
}

/** Attributes that name the source of a network interface. */
const NIC_SOURCE: readonly string[] = ["network", "bridge", "dev", "path", "name"];

function summarizeInterface(nic: XmlElement): Omit<NetworkInterface, "ipAddress" | "ipAddresses"> {
  const source = child(nic, "source")?.attributes;
  const network = NIC_SOURCE.map((name) => source?.[name]).find((value) => value !== undefined);
  const model = child(nic, "model")?.attributes.type;
  const target = child(nic, "target")?.attributes.dev;
  return {
    mac: child(nic, "mac")?.attributes.address ?? "",
    network: network ?? "",
    // A network over a bridge of the host is shown as that bridge while the VM runs: it is the same network.
    type: source?.network === undefined ? nic.attributes.type ?? "" : "network",
    ...(model !== undefined && { model }),
    ...(target !== undefined && { target }),
    linkUp: child(nic, "link")?.attributes.state !== "down",
  };
}

function summarizeGraphics(graphics: XmlElement): Graphics {
  const listen = child(graphics, "listen");
  const port = Number(graphics.attributes.port ?? "-1");
  const socket = listen?.attributes.socket ?? graphics.attributes.socket;
  const address = listen?.attributes.address ?? graphics.attributes.listen;
  return {
    type: graphics.attributes.type ?? "",
    ...(port > 0 && { port }),
    ...(address !== undefined && { listen: address }),
    ...(socket !== undefined && { socket }),
  };
}

/** Firmware of an `<os>` element. */
export function firmware(os: XmlElement | undefined): VM["firmware"] {
  const loader = child(os, "loader")?.attributes;
  if (os?.attributes.firmware !== "efi" && loader?.type !== "pflash") return "bios";
  const feature = children(child(os, "firmware"), "feature").find((each) =>
    each.attributes.name === "secure-boot"
  );
  return loader?.secure === "yes" || feature?.attributes.enabled === "yes" ? "uefi-secure" : "uefi";
}

/** libosinfo ids look like `http://debian.org/debian/12`; the family is told by the vendor's place. */
function operatingSystem(
  metadata: XmlElement | undefined,
  kept: VM["osType"],
): { osType: VM["osType"]; osVariant: string | undefined } {
  const info = metadata?.children.find((each) => /(^|:)libosinfo$/.test(each.name));
  const id = info?.children.find((each) => /(^|:)os$/.test(each.name))?.attributes.id;
  if (id === undefined) return { osType: kept, osVariant: undefined };
  const osVariant = id.replace(/^https?:\/\/[^/]+\//, "").replaceAll("/", "");
  const osType = /microsoft\.com/.test(id)
    ? "windows"
    : /bsd|solaris|haiku|msdos|netware|libosinfo\.org\/unknown/i.test(id)
    ? "other"
    : "linux";
  return { osType, osVariant };
}

/** Texts of our own metadata's children. libvirt writes them with the prefix, whatever they were given as. */
function ownChildren(own: XmlElement | undefined, name: string): string[] {
  const found =
    own?.children.filter((each) => each.name === name || each.name === `${METADATA_PREFIX}:${name}`) ?? [];
  return found.map((each) => each.text).filter((text) => text !== "");
}

/** Reads a domain's XML. @throws {XmlError} when libvirt wrote something that is no XML */
export function summarizeDomain(xml: string): DomainSummary {
  const domain = parseXml(xml);
  const devices = child(domain, "devices");
  const guestAgents = agentChannelsIn(devices);
  const os = child(domain, "os");
  const osAttributes = child(os, "type")?.attributes;
  const vcpu = child(domain, "vcpu");
  const maxCpuCount = Number(vcpu?.text ?? 1);
  const metadata = child(domain, "metadata");
  const own = metadata?.children.find((each) => each.name === `${METADATA_PREFIX}:vm`);
  const maxMemoryMb = mebibytes(child(domain, "memory"));
  const keptOsType = OS_TYPES.find((type) => type === own?.attributes.os);
  return {
    title: childText(domain, "title"),
    description: childText(domain, "description"),
    cpuCount: integer(vcpu?.attributes.current) ?? maxCpuCount,
    maxCpuCount,
    memoryMb: mebibytes(child(domain, "currentMemory")) || maxMemoryMb,
    maxMemoryMb,
    ...operatingSystem(metadata, keptOsType),
    machine: osAttributes?.machine,
    arch: osAttributes?.arch,
    virtType: domain.attributes.type ?? "",
    firmware: firmware(os),
    guestAgent: anyAgent(guestAgents),
    guestAgents,
    tags: ownChildren(own, "tag"),
    group: ownChildren(own, "group")[0],
    createdAt: integer(own?.attributes.created),
    keptOsType,
    disks: children(devices, "disk").map(summarizeDisk),
    chains: children(devices, "disk").flatMap(chainBelow),
    interfaces: children(devices, "interface").map(summarizeInterface),
    graphics: children(devices, "graphics").map(summarizeGraphics),
    openScreen: hasOpenScreen(domain),
    generatedPasswords: hasGeneratedPasswords(domain),
    throwAway: own?.attributes[THROW_AWAY.name] === THROW_AWAY.value,
    takesDevices: passedElements(domain).length + takenByAddress(domain).length > 0,
    paths: namedPaths(domain),
    otherPaths: namedPaths(domain, { disks: false }),
  };
}

/** KVM Manager's own fields in a VM's metadata. */
export type OwnMetadata = Pick<
  DomainSummary,
  "tags" | "group" | "createdAt" | "keptOsType" | "generatedPasswords"
>;

/** The metadata element that keeps it; null when there is nothing to keep. */
export function ownDomainMetadata(
  { tags, group, createdAt, keptOsType, generatedPasswords }: OwnMetadata,
): string | null {
  const isEmpty = [group, createdAt, keptOsType].every((each) => each === undefined) && tags.length === 0;
  if (isEmpty && !generatedPasswords) return null;
  // libvirt puts the root into the namespace itself, and refuses a root that already declares the prefix.
  const created = createdAt === undefined ? "" : ` created="${createdAt}"`;
  const os = keptOsType === undefined ? "" : ` os="${keptOsType}"`;
  const passwords = generatedPasswords ? ` ${SCREEN_PASSWORDS.name}="${SCREEN_PASSWORDS.value}"` : "";
  const inside = tags.map((tag) => `<tag>${escapeXml(tag)}</tag>`).join("") +
    (group === undefined ? "" : `<group>${escapeXml(group)}</group>`);
  return `<vm${created}${os}${passwords}>${inside}</vm>`;
}

/** A screen's place and password. */
export interface ScreenServer extends Graphics {
  readonly tlsPort?: number;
  readonly password: string | undefined;
}

/** Screens of a VM with their places and passwords, as its secure XML has them. */
export function screenServers(xml: string): ScreenServer[] {
  return children(child(parseXml(xml), "devices"), "graphics").map((graphics) => {
    const tlsPort = Number(graphics.attributes.tlsPort ?? "-1");
    return {
      ...summarizeGraphics(graphics),
      ...(tlsPort > 0 && { tlsPort }),
      password: graphics.attributes.passwd,
    };
  });
}

/** A VNC server's place and password, as a domain's secure XML has them; null when it has no VNC. */
export function vncServer(xml: string): ScreenServer | null {
  return screenServers(xml).find(({ type }) => type === "vnc") ?? null;
}
