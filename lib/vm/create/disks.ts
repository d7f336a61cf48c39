/** Disks and the CD of a configuration, decided. Pure. */
import type { NewDisk, VmConfig } from "../../contract/create.ts";
import { gigabytes } from "../../text/quantity.ts";
import type { Facts, PoolFact } from "./facts.ts";
import type { Findings } from "./findings.ts";
import { freeDrivePlace, NO_PLACE, ownBusOf } from "../../formats/xml/seed_drive.ts";
import { isQ35 } from "../../formats/xml/machine_type.ts";
import type { DiskSource, NewVm, NewVmDisk, VmSeed, VmTools } from "../../formats/xml/new_vm.ts";
import { GIB } from "../../text/byte_units.ts";
import { message } from "../../i18n/message.ts";

type Bus = NewVmDisk["bus"];
/** First letters of a disk's name by its bus. */
const PREFIX: Readonly<Record<Bus, string>> = { virtio: "vd", scsi: "sd", sata: "sd", usb: "sd", ide: "hd" };
/** Drives an IDE controller takes. */
const MOST_IDE = 4;

/** Names in their order: `vda` … `vdz`; there are never more than 25 of one kind. */
function targets(): (bus: Bus) => string {
  const used = new Map<string, number>();
  return (bus) => {
    const prefix = PREFIX[bus], index = used.get(prefix) ?? 0;
    used.set(prefix, index + 1);
    return prefix + String.fromCharCode(97 + index);
  };
}

/** The disks as they were asked for: one of a size, a list, or what suits the operating system. */
function wanted(config: VmConfig, { os }: Facts, findings: Findings): { field: string; disk: NewDisk }[] {
  const { disks, diskSizeGb, diskFormat } = config;
  if (disks !== undefined) {
    for (const field of ["diskSizeGb", "diskFormat"] as const) {
      if (config[field] !== undefined) {
        findings.invalid(field, "cannot be given together with disks: say it there");
      }
    }
    return disks.map((disk, index) => ({ field: `disks.${index}`, disk }));
  }
  const disk = { sizeGb: diskSizeGb ?? os.defaults.diskSizeGb, ...(diskFormat && { format: diskFormat }) };
  return [{ field: "", disk }];
}

const within = (field: string, name: string) =>
  field === "" ? { sizeGb: "diskSizeGb", format: "diskFormat" }[name] ?? name : `${field}.${name}`;

function chooseBus(field: string, bus: Bus | undefined, { offer, os }: Facts, findings: Findings): Bus {
  const offered = offer.diskBuses as readonly Bus[];
  if (bus !== undefined && !offered.includes(bus)) {
    findings.missing(
      within(field, "bus"),
      `disk bus ${bus}`,
      `this machine type takes ${offered.join(", ")}`,
    );
  }
  const suits: Bus[] = [os.defaults.diskBus, "virtio", "sata", "scsi", "ide"];
  return bus ?? suits.find((each) => offered.includes(each)) ?? "virtio";
}

type Decided = Pick<NewVmDisk, "source" | "copyOf" | "pool" | "sizeGb" | "format" | "backing">;

/** Facts about the image that a field names. Adds its error or warning to the findings. */
function named(field: string, { images }: Facts, findings: Findings) {
  const image = images.get(field);
  if (image === undefined) return undefined;
  if ("error" in image) return findings.refuse(within(field, "path"), image.error);
  if (image.doubt !== undefined) findings.warnings.push({ ...image.doubt, field: within(field, "path") });
  return image;
}

/** An image that is there already. */
function existing(field: string, disk: NewDisk, facts: Facts, findings: Findings): Decided | undefined {
  for (const name of ["sizeGb", "pool"] as const) {
    if (disk[name] !== undefined) {
      findings.invalid(
        within(field, name),
        "is of a new image or of a copy (copyAs), not of an existing one",
      );
    }
  }
  const image = named(field, facts, findings);
  if (image === undefined) return undefined;
  const { source, format, backing } = image;
  return { source, format, backing, copyOf: undefined, pool: undefined, sizeGb: undefined };
}

/** A copy of an image that is there already. */
function copied(field: string, disk: NewDisk, facts: Facts, findings: Findings): Decided | undefined {
  const format = disk.copyAs!;
  const pool = poolOf(field, disk, facts, findings);
  requireFormat(within(field, "copyAs"), format, pool, findings);
  const image = named(field, facts, findings);
  if (image === undefined) return undefined;
  const { source, virtualBytes } = image;
  const { sizeGb } = disk;
  if (sizeGb !== undefined && virtualBytes !== null && sizeGb * GIB < virtualBytes) {
    const least = Math.ceil(virtualBytes / GIB);
    findings.invalid(
      within(field, "sizeGb"),
      message`must be at least ${least}: the image is not made smaller`,
    );
  }
  return {
    source: undefined,
    copyOf: {
      path: source.path,
      ...(disk.format && { format: disk.format }),
      ...(disk.backingFile !== undefined && { backingFile: disk.backingFile }),
    },
    backing: [],
    pool: disk.pool ?? facts.defaultPool,
    sizeGb,
    format,
  };
}

function poolOf(field: string, disk: NewDisk, facts: Facts, findings: Findings): PoolFact | undefined {
  const name = disk.pool ?? facts.defaultPool;
  if (name === undefined) return undefined; // made when it is needed: a folder, which takes both formats
  const pool = facts.pools.find((each) => each.name === name);
  const path = facts.readOnly.get(name);
  if (pool === undefined) findings.error(within(field, "pool"), "StoragePoolNotFound", { pool: name });
  else if (!pool.active) findings.error(within(field, "pool"), "StoragePoolNotActive", { pool: name });
  else if (path !== undefined) {
    findings.error(within(field, "pool"), "StoragePoolReadOnly", { pool: name, path });
  }
  return pool;
}

const ALL_FORMATS: PoolFact["formats"] = ["qcow2", "raw"];

function requireFormat(
  field: string,
  format: NewVmDisk["format"],
  pool: PoolFact | undefined,
  findings: Findings,
): void {
  const formats = pool?.formats ?? ALL_FORMATS;
  if (formats.includes(format)) return;
  findings.invalid(field, message`must be ${formats.join(" or ")} in storage pool ${pool?.name}`);
}

/** How a disk is come by. */
const wayOf = ({ path, copyAs }: NewDisk) =>
  path === undefined ? fresh : copyAs === undefined ? existing : copied;

/** An image to be made. */
function fresh(field: string, disk: NewDisk, facts: Facts, findings: Findings): Decided {
  if (disk.sizeGb === undefined) {
    findings.invalid(
      field === "" ? "diskSizeGb" : field,
      "needs sizeGb (a new image) or path (an existing one)",
    );
  }
  if (disk.backingFile !== undefined) {
    findings.invalid(within(field, "backingFile"), "is of an existing image, not of a new one");
  }
  if (disk.copyAs !== undefined) {
    findings.invalid(within(field, "copyAs"), "needs the path of the image to copy");
  }
  const pool = poolOf(field, disk, facts, findings);
  if (disk.format !== undefined) requireFormat(within(field, "format"), disk.format, pool, findings);
  return {
    source: undefined,
    copyOf: undefined,
    backing: [],
    pool: disk.pool ?? facts.defaultPool,
    sizeGb: disk.sizeGb,
    format: disk.format ?? (pool?.formats ?? ALL_FORMATS)[0] ?? "qcow2",
  };
}

/** Refuses disks that together are larger than what their pool has free. */
function requireSpace(
  disks: readonly { field: string; disk: Decided }[],
  { pools }: Facts,
  allowed: boolean,
  findings: Findings,
): void {
  const sums = new Map<string, number>();
  for (const { field, disk: { pool: name, sizeGb } } of disks) {
    const available = pools.find((pool) => pool.name === name)?.availableBytes ?? null;
    if (name === undefined || sizeGb === undefined || available === null) continue;
    const requested = (sums.get(name) ?? 0) + sizeGb;
    sums.set(name, requested);
    if (requested * GIB > available) {
      const details = { requested: gigabytes(requested * GIB), available: gigabytes(available) };
      findings.exceeds(within(field, "sizeGb"), "DiskExceedsPool", details, allowed);
    }
  }
}

/** The bus a CD drive suits best. */
function cdBus({ offer, platform }: Facts): Bus {
  const suits: Bus[] = [isQ35(platform.machine) ? "sata" : "ide", "scsi", "sata", "usb"];
  return suits.find((bus) => offer.diskBuses.includes(bus)) ?? "scsi";
}

/** Warns where QEMU would find the door closed: the VM could be made, but not started. */
function warnOfClosed(field: string, path: string | undefined, { closed }: Facts, findings: Findings): void {
  const folder = path === undefined ? undefined : closed.get(path);
  if (folder !== undefined) findings.warn(field, "NotReachable", { path: path!, folder });
}

/** The CD that is named. */
function isoOf({ isoPath }: VmConfig, { iso }: Facts, findings: Findings): DiskSource | undefined {
  if (isoPath === undefined) return undefined;
  if (iso === undefined) findings.error("isoPath", "IsoNotFound", { isoPath });
  else if ("error" in iso) findings.refuse("isoPath", iso.error);
  else {
    const { doubt, ...source } = iso;
    if (doubt !== undefined) findings.warnings.push(doubt);
    return source;
  }
}

/** Chooses the place for the CD of cloud-init, next to the other drives. */
function decideSeed(
  { cloudInit }: VmConfig,
  drives: readonly { readonly bus: Bus; readonly target: string }[],
  { os, platform }: Facts,
  findings: Findings,
): VmSeed | undefined {
  if (cloudInit === undefined) return undefined;
  const place = freeDrivePlace({
    scsi: drives.some(({ bus }) => bus === "scsi") ? "virtio" : "none",
    ownBus: ownBusOf(platform.machine),
    targets: new Set(drives.map(({ target }) => target)),
  }, os.osType === "windows");
  if (place === undefined) {
    findings.error("cloudInit", "CloudInitFailed", { error: NO_PLACE });
    return undefined;
  }
  return { ...place, path: undefined };
}

/** Chooses the place for the CD with the guest tools, next to all other drives. */
function decideTools(
  { guestTools, guestAgent }: VmConfig,
  drives: readonly { readonly bus: string; readonly target: string }[],
  { os, platform }: Facts,
  findings: Findings,
): VmTools | undefined {
  if (guestTools !== true) return undefined;
  if (guestAgent === false) findings.invalid("guestTools", "needs the channels for guest agents");
  const place = freeDrivePlace({
    scsi: drives.some(({ bus }) => bus === "scsi") ? "virtio" : "none",
    ownBus: ownBusOf(platform.machine),
    targets: new Set(drives.map(({ target }) => target)),
  }, os.osType === "windows");
  if (place === undefined) {
    findings.error("guestTools", "GuestToolsFailed", { error: NO_PLACE });
    return undefined;
  }
  return { ...place, path: undefined };
}

/** Decides disks and CDs; tells what is wrong with them. */
export function decideDisks(
  config: VmConfig,
  facts: Facts,
  findings: Findings,
): Pick<NewVm, "disks" | "cd" | "seed" | "tools"> {
  const target = targets();
  const decided: { field: string; disk: Decided }[] = [];
  const disks: NewVmDisk[] = [];
  const seen = new Set<string>();
  for (const { field, disk } of wanted(config, facts, findings)) {
    const bus = chooseBus(field, disk.bus, facts, findings);
    const found = wayOf(disk)(field, disk, facts, findings);
    if (found === undefined) continue;
    const path = found.source?.path;
    if (path !== undefined && seen.has(path)) {
      findings.error(within(field, "path"), "DiskInUse", { vm: "this VM", path });
    }
    if (path !== undefined) seen.add(path);
    warnOfClosed(within(field, "path"), path, facts, findings);
    decided.push({ field, disk: found });
    const { cache, discard = true, readOnly = false, serial } = disk;
    disks.push({ ...found, bus, target: target(bus), cache, discard, readOnly, serial });
  }
  requireSpace(decided, facts, config.allowOvercommit ?? facts.allowOvercommit, findings);
  const bus = cdBus(facts);
  const iso = isoOf(config, facts, findings);
  warnOfClosed("isoPath", iso?.path, facts, findings);
  const cd = iso && { source: iso, bus, target: target(bus) };
  const ide = disks.filter((disk) => disk.bus === "ide").length + (cd?.bus === "ide" ? 1 : 0);
  if (ide > MOST_IDE) {
    findings.invalid("disks", message`are ${ide} on the IDE bus with the CD, which takes ${MOST_IDE}`);
  }
  const drives = cd === undefined ? disks : [...disks, cd];
  const seed = decideSeed(config, drives, facts, findings);
  const tools = decideTools(config, seed === undefined ? drives : [...drives, seed], facts, findings);
  return { disks, cd, seed, tools };
}
