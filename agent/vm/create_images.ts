/** Images and CDs that somebody names for a new machine: what they are, and whether they may be used. */
import { resolve } from "node:path";
import { ContractError, type ImagePolicy, type NewDisk, type VM } from "../../lib/contract/mod.ts";
import type { ImageFact } from "../../lib/create/facts.ts";
import type { BackingImage, DiskSource } from "../../lib/create/vm.ts";
import { isLocal } from "../host/local.ts";
import type { LibvirtLink } from "../libvirt/link.ts";
import { secretFor } from "../storage/luks.ts";
import { type Volume, volumeAt, volumeNamed } from "../storage/volumes.ts";
import { checkedChain, ImageRefused, qcow2Head, realPath } from "./image_chain.ts";
import { imageUsers } from "./image_users.ts";

/** What is at a place: a volume libvirt knows, or a file of this host alone. */
interface Found {
  readonly source: DiskSource;
  readonly volume: Volume | undefined;
}

type Link = Pick<LibvirtLink, "call" | "uri">;

const GIB = 1024 ** 3;

const sourceOf = (volume: Volume): DiskSource | undefined =>
  volume.type === "file" || volume.type === "block" ? { path: volume.path, type: volume.type } : undefined;

/** What an absolute path or `pool/volume` means; undefined when it means nothing that can be a disk. */
async function find(link: Link, place: string): Promise<Found | undefined> {
  if (!place.startsWith("/")) {
    const slash = place.indexOf("/");
    const volume = slash > 0
      ? await volumeNamed(link, place.slice(0, slash), place.slice(slash + 1))
      : undefined;
    const source = volume && sourceOf(volume);
    return source && { source, volume };
  }
  const path = isLocal(link.uri) ? await realPath(resolve(place)) : place;
  if (path === undefined) return undefined;
  // A pool knows its volumes by the path it has, which may hold links.
  const volume = await volumeAt(link, path) ?? await volumeAt(link, resolve(place));
  const source = volume && sourceOf(volume);
  if (source) return { source, volume };
  // A device outside of every pool may be the host's own disk.
  if (!isLocal(link.uri) || !(await Deno.stat(path)).isFile) return undefined;
  return { source: { path, type: "file" }, volume: undefined };
}

/** The CD at a place; undefined when there is none. @throws {LibvirtError} */
export async function findIso(link: Link, place: string): Promise<DiskSource | undefined> {
  return (await find(link, place))?.source;
}

/** What libvirt has on record, or the user says; never what the content looks like. */
function formatOf(disk: NewDisk, { source, volume }: Found): "qcow2" | "raw" {
  const format = disk.format ?? (source.type === "block" ? volume?.format ?? "raw" : volume?.format);
  if (format === undefined) {
    throw new ImageRefused("say its format: no storage pool of libvirt has it on record");
  }
  if (format === "iso") return "raw";
  if (format !== "qcow2" && format !== "raw") {
    throw new ImageRefused(`its format ${format} is not supported: convert it to qcow2 or raw`);
  }
  return format;
}

/** The chain below a qcow2 image, checked. */
async function chainOf(link: Link, disk: NewDisk, { path }: DiskSource): Promise<BackingImage[]> {
  if (!isLocal(link.uri)) {
    throw new ImageRefused(
      "its header can be checked on the host itself alone, and KVM Manager runs elsewhere",
    );
  }
  return await checkedChain(link, path, { named: disk.backingFile, isSaid: disk.format === "qcow2" });
}

/** What a disk calls its image, as far as a machine's definition tells. */
const namesOf = (place: string, { source, volume }: Found) => [
  place,
  source.path,
  ...volume ? [`${volume.pool}/${volume.name}`] : [],
];

/** Refuses an image that a machine has as its disk, or whose disk is built on it. @throws {ContractError} DiskInUse */
async function refuseUsed(place: string, found: Found, vms: readonly VM[]): Promise<void> {
  const [vm] = (await imageUsers(namesOf(place, found), vms)).values();
  if (vm !== undefined) throw new ContractError("DiskInUse", { path: place, vm });
}

/**
 * Refuses to copy what is written to meanwhile, and what is not what it looks like: libvirt takes a volume's format from
 * its content, and a guest can write what it likes into a raw disk (CVE-2013-1922 and its kin).
 *
 * @throws {ContractError} DiskInUse @throws {ImageRefused}
 */
function refuseCopy(
  place: string,
  format: "qcow2" | "raw",
  found: Found,
  { vms, active }: Surroundings,
): void {
  const { volume } = found;
  if (volume === undefined) {
    throw new ImageRefused(
      "it is in no storage pool, so it cannot be copied: upload it, or make a pool of its folder",
    );
  }
  if (volume.encryption?.secret !== undefined) {
    throw new ImageRefused("it is encrypted, and its passphrase belongs to it alone: copy inside a VM");
  }
  if (format !== (volume.format === "qcow2" ? "qcow2" : "raw")) {
    throw new ImageRefused(`its content looks like ${volume.format}, not like ${format}`);
  }
  const names = namesOf(place, found);
  for (const { id, name, disks } of vms) {
    const disk = disks.find(({ source }) => source !== undefined && names.includes(source));
    if (disk === undefined) continue;
    if (active.has(id) && !disk.readOnly) throw new ContractError("DiskInUse", { path: place, vm: name });
    if (disk.format !== undefined && disk.format !== format) {
      throw new ImageRefused(
        `${name} uses it as ${disk.format}, but its content looks like ${volume.format}`,
      );
    }
  }
}

/** What a guest would see of an image, in bytes; null when that is not known here. @throws {ImageRefused} */
async function virtualBytes(
  { uri }: Link,
  format: "qcow2" | "raw",
  { source, volume }: Found,
  { policy }: Surroundings,
): Promise<number | null> {
  if (format === "raw" || !isLocal(uri)) return volume?.capacity ?? null;
  const virtual = (await qcow2Head(source.path))?.virtualSize;
  if (virtual === undefined) return null;
  const { maxVirtualGb } = policy();
  // A few kilobytes can pretend to be a disk that no host can hold.
  if (virtual > BigInt(maxVirtualGb) * BigInt(GIB)) {
    throw new ImageRefused(
      `a guest would see ${
        virtual / BigInt(GIB)
      } GiB, allowed are ${maxVirtualGb}: see the rules on the page of images`,
    );
  }
  return Number(virtual);
}

/** What an image is held against. */
export interface Surroundings {
  readonly vms: readonly VM[];
  /** UUIDs of the machines that run. */
  readonly active: ReadonlySet<string>;
  /** What an image may be. @throws {ContractError} while it cannot be read */
  readonly policy: () => Pick<ImagePolicy, "maxVirtualGb">;
}

/**
 * What an image that is to become a disk, or to be copied for one, is, or why it must not.
 *
 * @throws {LibvirtError}
 */
export async function imageFact(
  link: Link,
  disk: NewDisk & { readonly path: string },
  around: Surroundings,
): Promise<ImageFact> {
  const { path: place } = disk;
  try {
    const found = await find(link, place);
    if (found === undefined) return { error: new ContractError("DiskNotFound", { path: place }) };
    const { source, volume } = found;
    if (disk.copyAs === undefined) await refuseUsed(place, found, around.vms);
    const format = formatOf(disk, found);
    if (disk.copyAs !== undefined) refuseCopy(place, format, found, around);
    if (format === "raw" && disk.backingFile !== undefined) {
      throw new ImageRefused("a raw image is built on no other");
    }
    const backing = format === "qcow2" ? await chainOf(link, disk, source) : [];
    const secret = format === "raw" && volume !== undefined ? await secretFor(link, source.path) : undefined;
    return {
      source: { ...source, ...(secret !== undefined && { secret }) },
      format,
      backing,
      virtualBytes: await virtualBytes(link, format, found, around),
    };
  } catch (error) {
    if (error instanceof ContractError) return { error };
    if (error instanceof ImageRefused) {
      return { error: new ContractError("DiskRefused", { path: place, reason: error.message }) };
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      const reason = "KVM Manager may not read it";
      return { error: new ContractError("DiskRefused", { path: place, reason }, { cause: error }) };
    }
    throw error;
  }
}
