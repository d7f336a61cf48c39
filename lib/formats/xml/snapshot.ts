/** libvirt's snapshot XML ⇄ what we know of a snapshot. */
import { nodeOf, renderXml, xml } from "./build.ts";
import { XmlDocument } from "./edit.ts";
import { child, children, childText, parseXml, type XmlElement } from "./tree.ts";

/** An image that a definition has as a disk. */
export interface DiskImage {
  readonly target: string;
  /** libvirt's type of the disk: file, block, volume, network. */
  readonly type: string;
  /** A path; undefined for what has none. */
  readonly path: string | undefined;
  readonly format: string | undefined;
}

/** A disk that a snapshot keeps as an image of its own. */
export interface ExternalDisk extends DiskImage {
  /** The image that was begun when the snapshot was taken. */
  readonly overlay: string | undefined;
}

/** Fields of a snapshot in its XML. */
export interface SnapshotSummary {
  readonly name: string;
  readonly description: string | undefined;
  /** Seconds since 1970. */
  readonly createdAt: number;
  /** libvirt's word: shutoff, running, paused, disk-snapshot. */
  readonly state: string;
  readonly parent: string | undefined;
  /** Location of the memory: internal, external, no. */
  readonly memory: string;
  /** Some of it is in files of its own, apart from the disks. */
  readonly isExternal: boolean;
  /** Targets of the disks that are kept within their own images. */
  readonly internalDisks: readonly string[];
  /** File of the memory, if it has one of its own. */
  readonly memoryFile: string | undefined;
  /** Disks that are kept as images of their own: what was written since went into `overlay`. */
  readonly externalDisks: readonly ExternalDisk[];
  /** The definitions of the VM as it was: what ran, and what was stored. None in snapshots of very old libvirt. */
  readonly domains: readonly XmlElement[];
}

/** The disks of a definition, CD and floppy drives left out. */
export function diskImagesOf(domain: XmlElement | undefined): DiskImage[] {
  return children(child(domain, "devices"), "disk").filter((disk) => !isDrive(disk)).map((disk) => {
    const source = child(disk, "source")?.attributes;
    return {
      target: child(disk, "target")?.attributes.dev ?? "",
      type: disk.attributes.type ?? "file",
      path: source?.file ?? source?.dev,
      format: child(disk, "driver")?.attributes.type,
    };
  });
}

/** Disks whose content of then is an image that is not written to since. */
function externalDisksOf(disks: readonly XmlElement[], domain: XmlElement | undefined): ExternalDisk[] {
  const then = diskImagesOf(domain);
  return disks.flatMap((disk) => {
    const { name = "", snapshot } = disk.attributes;
    if (snapshot !== "external") return [];
    const source = child(disk, "source")?.attributes;
    const image = then.find(({ target }) => target === name) ??
      { target: name, type: "", path: undefined, format: undefined };
    return [{ ...image, overlay: source?.file ?? source?.dev }];
  });
}

/** Reads a snapshot's XML. @throws {XmlError} */
export function summarizeSnapshot(source: string): SnapshotSummary {
  const root = parseXml(source);
  const memory = child(root, "memory")?.attributes.snapshot ?? "no";
  const disks = children(child(root, "disks"), "disk");
  const domains = [...children(root, "domain"), ...children(root, "inactiveDomain")];
  return {
    name: childText(root, "name") ?? "",
    description: childText(root, "description"),
    createdAt: Number(childText(root, "creationTime") ?? 0),
    state: childText(root, "state") ?? "",
    parent: childText(child(root, "parent"), "name"),
    memory,
    isExternal: memory === "external" || disks.some(({ attributes }) => attributes.snapshot === "external"),
    internalDisks: disks.flatMap(({ attributes: { name, snapshot } }) =>
      snapshot === "internal" && name !== undefined ? [name] : []
    ),
    memoryFile: child(root, "memory")?.attributes.file,
    // What was stored is the last of them.
    externalDisks: externalDisksOf(disks, domains.at(-1)),
    domains,
  };
}

/** A snapshot to be taken. */
export interface NewSnapshot {
  readonly name: string;
  readonly description?: string | undefined;
  /** The memory is kept, too. */
  readonly memory: boolean;
  /** Targets of the disks: those that are kept, and the others. */
  readonly disks: readonly { readonly target: string; readonly isKept: boolean }[];
}

/** The XML that takes a snapshot within the disks themselves. */
export function newSnapshotXml({ name, description, memory, disks }: NewSnapshot): string {
  return renderXml(xml(
    "domainsnapshot",
    {},
    xml("name", {}, name),
    description !== undefined && xml("description", {}, description),
    xml("memory", { snapshot: memory ? "internal" : "no" }),
    xml(
      "disks",
      {},
      disks.map(({ target, isKept }) => xml("disk", { name: target, snapshot: isKept ? "internal" : "no" })),
    ),
  ));
}

/** When a snapshot was taken that libvirt is told of only to delete it, in seconds since 1970. */
export const LEFT_AT = 1;

/**
 * XML that makes libvirt know a snapshot within disks, so that it can delete it.
 *
 * @param wanted the XML that was to take it
 * @param definition the VM's
 */
export function leftSnapshotXml(
  wanted: string,
  { definition, isOff }: { readonly definition: string; readonly isOff: boolean },
): string {
  const document = new XmlDocument(wanted);
  document.append(document.root, xml("state", {}, isOff ? "shutoff" : "running"));
  document.append(document.root, xml("creationTime", {}, LEFT_AT));
  document.append(document.root, nodeOf(new XmlDocument(definition).root));
  return document.toString();
}

/** A snapshot of disks alone, each of which goes on in an image that is there already. */
export interface NewExternalSnapshot {
  readonly name: string;
  readonly description?: string | undefined;
  /** Targets of all disks, each with its new image; undefined for what is not kept. */
  readonly disks: readonly { readonly target: string; readonly overlay: string | undefined }[];
}

/** The XML that takes a snapshot by going on in other images. */
export function externalSnapshotXml({ name, description, disks }: NewExternalSnapshot): string {
  return renderXml(xml(
    "domainsnapshot",
    {},
    xml("name", {}, name),
    description !== undefined && xml("description", {}, description),
    xml("memory", { snapshot: "no" }),
    xml(
      "disks",
      {},
      disks.map(({ target, overlay }) =>
        overlay === undefined ? xml("disk", { name: target, snapshot: "no" }) : xml(
          "disk",
          { name: target, snapshot: "external", type: "file" },
          xml("driver", { type: "qcow2" }),
          xml("source", { file: overlay }),
        )
      ),
    ),
  ));
}

/**
 * A snapshot's XML with another image in the place of one: that one was merged into it. Its chain is left out: what it
 * is built on is read again where it is needed.
 */
export function withImageMoved(
  source: string,
  from: string,
  to: { readonly path: string; readonly format: string },
): string {
  const document = new XmlDocument(source);
  const disks = () =>
    ["domain", "inactiveDomain"].flatMap((name) =>
      children(child(document.find(name), "devices"), "disk").filter((disk) =>
        child(disk, "source")?.attributes.file === from
      )
    );
  for (let disk = disks()[0]; disk !== undefined; disk = disks()[0]) {
    const driver = child(disk, "driver");
    if (driver) document.setAttribute(driver, "type", to.format);
    const again = () => disks()[0]!;
    const chain = child(again(), "backingStore");
    if (chain) document.remove(chain);
    document.setAttribute(child(again(), "source")!, "file", to.path);
  }
  return document.toString();
}

/** Elements of a document that name an image, in order. */
const imageElements = (element: XmlElement): XmlElement[] =>
  element.children.flatMap((each) => [
    ...each.name === "source" && each.attributes.file !== undefined ? [each] : [],
    ...imageElements(each),
  ]);

/** A snapshot's XML on another host, where images have other paths. @param moved paths here → there */
export function withImagesAt(source: string, moved: ReadonlyMap<string, string>): string {
  const document = new XmlDocument(source), count = imageElements(document.root).length;
  for (let index = 0; index < count; index++) {
    const element = imageElements(document.root)[index]!, path = moved.get(element.attributes.file!);
    if (path !== undefined) document.setAttribute(element, "file", path);
  }
  return document.toString();
}

/** Start of a snapshot's description once its deletion was begun: its content is no longer whole. */
const DELETING = "[deletion began]";
/** Follows it once QEMU was told to pivot to the image below: one that ends then wrote to either of the two last. */
const PIVOT = /^\[deletion began\] \[pivot of ([^\]]*)\]/;

/** Whether the deletion of a snapshot was begun. */
export const isBeingDeleted = ({ description }: Pick<SnapshotSummary, "description">): boolean =>
  description?.startsWith(DELETING) ?? false;

/** The disk whose image QEMU was told to leave for the one below, when the deletion of a snapshot came so far. */
export const pivotingDisk = ({ description }: Pick<SnapshotSummary, "description">): string | undefined =>
  PIVOT.exec(description ?? "")?.[1];

/**
 * The XML of a snapshot whose deletion begins.
 *
 * @param pivot the disk whose image QEMU is about to leave for the one below
 */
export function markedAsDeleting(source: string, pivot?: string): string {
  const document = new XmlDocument(source);
  const description = document.find("description");
  const text = description?.text ?? "";
  const marked = PIVOT.exec(text)?.[0] ?? (text.startsWith(DELETING) ? DELETING : "");
  if (pivot === undefined && marked !== "") return source;
  const mark = pivot === undefined ? DELETING : `${DELETING} [pivot of ${pivot}]`;
  const full = `${mark} ${text.slice(marked.length).trimStart()}`.trimEnd();
  if (description === undefined) {
    document.insertAfter(document.find("name")!, xml("description", {}, full));
  } else {
    document.setText(description, full);
  }
  return document.toString();
}

/** Names that a source has of what is there; indexes and ports are given again at each start. */
const NAMES = [
  "file",
  "dev",
  "dir",
  "pool",
  "volume",
  "protocol",
  "name",
  "network",
  "bridge",
  "path",
] as const;

function sourceOf(device: XmlElement): Record<string, string> {
  const { attributes = {} } = child(device, "source") ?? {};
  // A network over a bridge of the host is told with that bridge while the VM runs.
  if (attributes.network !== undefined) return { network: attributes.network };
  return Object.fromEntries(
    NAMES.flatMap((name) => attributes[name] === undefined ? [] : [[name, attributes[name]!]]),
  );
}

function textOf(element: XmlElement | undefined): string {
  if (element === undefined) return "";
  return `${JSON.stringify(element.attributes)}${element.text.trim()}${
    element.children.map(textOf).join("")
  }`;
}

const isDrive = ({ attributes: { device } }: XmlElement) => device === "cdrom" || device === "floppy";

/** Ports that only the VM itself has: libvirt makes their other ends. */
const OWN_PORTS: ReadonlySet<string | undefined> = new Set([
  "pty",
  "unix",
  "spicevmc",
  "dbus",
  "qemu-vdagent",
]);
const port = (device: XmlElement) =>
  OWN_PORTS.has(device.attributes.type) ? undefined : [device.attributes.type, sourceOf(device)];

/** Connections of a device beyond the VM, by kind of device; undefined for none. */
const REACHES: Readonly<Record<string, (device: XmlElement) => unknown>> = {
  interface: (nic) => {
    const source = sourceOf(nic);
    const type = source.network === undefined ? nic.attributes.type : "network";
    const filter = child(nic, "filterref");
    // What a filter lets through depends on its addresses, and on the card's own.
    // A function of the host's hardware is told by its address alone.
    if (type === "hostdev") return [type, textOf(child(nic, "source"))];
    return [type, source, filter && [textOf(filter), child(nic, "mac")?.attributes.address]];
  },
  hostdev: (device) => [device.attributes, textOf(child(device, "source"))],
  filesystem: (device) => [device.attributes.type, sourceOf(device), child(device, "readonly") !== undefined],
  redirdev: (device) => [device.attributes.type, sourceOf(device)],
  shmem: (device) => device.attributes,
  rng: (device) => textOf(child(device, "backend")),
  input: (device) => child(device, "source") && sourceOf(device),
  tpm: (device) => child(child(device, "backend"), "device")?.attributes,
  serial: port,
  parallel: port,
  console: port,
  channel: port,
};

/** The disks of a definition: where they are, and as what they are read. Media in drives are no part of it. */
export function diskTargetsOf(domain: XmlElement | undefined): string[] {
  return children(child(domain, "devices"), "disk").filter((disk) => !isDrive(disk)).map((disk) =>
    JSON.stringify([
      child(disk, "target")?.attributes.dev,
      disk.attributes.type,
      child(disk, "driver")?.attributes.type,
      sourceOf(disk),
    ])
  ).sort();
}

/**
 * Objects that a definition reaches beyond the VM in addition to its disks: its devices' other ends, files of its
 * firmware, arguments of QEMU.
 */
export function reachOf(domain: XmlElement | undefined): string[] {
  const devices = child(domain, "devices")?.children ?? [];
  const ends = devices.flatMap((device) => {
    const reach = Object.hasOwn(REACHES, device.name) ? REACHES[device.name]!(device) : undefined;
    return reach === undefined ? [] : [`${device.name} ${JSON.stringify(reach)}`];
  });
  const files = ["loader", "nvram", "kernel", "initrd", "dtb"].flatMap((name) => {
    const path = childText(child(domain, "os"), name);
    return path === undefined ? [] : [`${name} ${path}`];
  });
  const drives = children(child(domain, "devices"), "disk").filter(isDrive).flatMap((drive) => {
    const source = sourceOf(drive);
    return Object.keys(source).length === 0 ? [] : [`medium ${JSON.stringify(source)}`];
  });
  const words = (domain?.children ?? []).filter(({ name }) => name.startsWith("qemu:")).map(textOf);
  return [...ends, ...files, ...drives, ...words].sort();
}
