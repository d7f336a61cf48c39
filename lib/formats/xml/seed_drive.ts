/**
 * The drive a seed is in. It is marked by its alias, which libvirt keeps: what the drive is called, on which bus it is
 * and what else the VM has may change.
 */
import { backingStoreXml } from "./backing_store.ts";
import { xml, type XmlNode } from "./build.ts";
import { child, children, parseXml, type XmlElement } from "./tree.ts";

/** How the mark begins; libvirt keeps aliases that begin with `ua-`. */
const MARK = "ua-kvmm-seed";
/** How our seeds' files end: another medium that somebody put into the drive is none. */
export const SEED_SUFFIX = "-seed.iso";

/** Buses a CD drive can be on. */
export type DriveBus = "scsi" | "sata" | "ide";

/** The drive for a seed. */
export interface SeedDrive {
  readonly target: string;
  readonly bus: string;
  /** The seed in it; undefined for an empty drive. */
  readonly path: string | undefined;
  /** Its mark: the first that is free, when left out. */
  readonly alias?: string;
}

/**
 * Name of a seed. None comes twice: an old snapshot of a VM that was renamed must not find the seed of another VM that has
 * its name since.
 *
 * @param mark what no other seed has: the start of a random UUID
 */
export function seedName(vmName: string, mark: string): string {
  return `${vmName}-${mark.slice(0, 8)}${SEED_SUFFIX}`;
}

/**
 * The drive as a device. A seed that is not there any more (an old snapshot names it) does not keep the VM from
 * starting: libvirt leaves the drive empty then.
 */
export function seedDisk({ target, bus, path, alias = MARK }: SeedDrive): XmlNode {
  return xml(
    "disk",
    { type: "file", device: "cdrom" },
    xml("driver", { name: "qemu", type: "raw" }),
    path !== undefined && xml("source", { file: path, startupPolicy: "optional" }),
    path !== undefined && backingStoreXml([]),
    xml("target", { dev: target, bus }),
    xml("readonly"),
    xml("alias", { name: alias }),
  );
}

/** The first controller for drives on the bus `scsi`: of the kind that every cloud image has a driver for. */
export function scsiController(): XmlNode {
  return xml("controller", { type: "scsi", index: 0, model: "virtio-scsi" });
}

/** A VM's disks and controllers, as far as a seed's drive depends on them. */
export interface Drives {
  readonly seed: SeedDrive | undefined;
  /** The first controller of the bus `scsi`: `virtio` is what cloud images can drive. */
  readonly scsi: "virtio" | "other" | "none";
  /** Targets that are taken. */
  readonly targets: ReadonlySet<string>;
  /** The bus for CD drives that the machine type itself has. */
  readonly ownBus: DriveBus;
  /** A mark that no drive has. */
  readonly freeAlias: string;
}

const aliasOf = (disk: XmlElement) => child(disk, "alias")?.attributes.name ?? "";

function seedOf(disk: XmlElement): SeedDrive | undefined {
  const alias = aliasOf(disk);
  if (disk.attributes.device !== "cdrom" || !alias.startsWith(MARK)) return undefined;
  const target = child(disk, "target")?.attributes;
  const path = child(disk, "source")?.attributes.file;
  if (path !== undefined && !path.endsWith(SEED_SUFFIX)) return undefined;
  return { target: target?.dev ?? "", bus: target?.bus ?? "", path, alias };
}

/** The bus for CD drives that a machine type itself has. @param machine as in the domain XML: `q35`, `pc-q35-7.2` */
export function ownBusOf(machine: string): DriveBus {
  return /q35/.test(machine) ? "sata" : /^(pc|isapc)/.test(machine) ? "ide" : "scsi";
}

/** Reads a domain's XML. @throws {XmlError} */
export function drivesOf(domainXml: string): Drives {
  const domain = parseXml(domainXml);
  const devices = child(domain, "devices");
  const disks = children(devices, "disk");
  const scsi = children(devices, "controller").map(({ attributes }) => attributes)
    .find(({ type, index }) => type === "scsi" && (index ?? "0") === "0");
  const aliases = new Set(disks.map(aliasOf));
  let freeAlias = MARK;
  for (let number = 2; aliases.has(freeAlias); number++) freeAlias = `${MARK}-${number}`;
  const machine = child(child(domain, "os"), "type")?.attributes.machine ?? "";
  return {
    seed: disks.map(seedOf).find((seed) => seed !== undefined),
    scsi: scsi === undefined ? "none" : /^virtio/.test(scsi.model ?? "") ? "virtio" : "other",
    targets: new Set(disks.flatMap((disk) => child(disk, "target")?.attributes.dev ?? [])),
    ownBus: ownBusOf(machine),
    freeAlias,
  };
}

/** Why a seed's drive has no place. */
export const NO_PLACE = "no place for another drive is free";

/** Places on the first controller of each bus, by the letters of their targets. */
const LETTERS: Readonly<Record<DriveBus, string>> = { ide: "abcd", sata: "abcdef", scsi: "abcdef" };

/** A free target on a bus; undefined when all are taken. */
export function freeDriveTarget(bus: DriveBus, targets: ReadonlySet<string>): string | undefined {
  const prefix = bus === "ide" ? "hd" : "sd";
  return [...LETTERS[bus]].map((letter) => prefix + letter).find((target) => !targets.has(target));
}

/**
 * Place for a new drive; undefined when none is free. Windows has no driver for virtio's SCSI by itself, and the
 * kernels of Debian's cloud images have none for SATA.
 */
export function freeDrivePlace(
  { scsi, ownBus, targets }: Pick<Drives, "scsi" | "ownBus" | "targets">,
  isWindows: boolean,
): { readonly bus: DriveBus; readonly target: string } | undefined {
  const scsiFits = scsi === "virtio" || scsi === "none" && !isWindows;
  const buses: readonly DriveBus[] = scsiFits ? ["scsi", ownBus] : [ownBus];
  for (const bus of buses) {
    const target = freeDriveTarget(bus, targets);
    if (target !== undefined) return { bus, target };
  }
  return undefined;
}
