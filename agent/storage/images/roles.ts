/** Roles of volumes for a user who looks for an image: a VM begins with those of the library only. */
import type { ImageKind } from "../../../lib/contract/mod.ts";
import { isToolsCd } from "../../../lib/guest/tools_cd.ts";
import { SEED_SUFFIX } from "../../../lib/formats/xml/seed_drive.ts";
import { hasSeedLabel } from "../../../lib/vm/cloud_init/seed_file.ts";
import { MOST_SEED_BYTES } from "../../../lib/vm/cloud_init/seed.ts";
import { log } from "../../log.ts";
import type { StorageLocks } from "../locks.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { within } from "../../within.ts";
import { imageHeadBytes } from "../disk_images/chain.ts";
import { fileAt } from "../file_id.ts";
import { VolumeUsage } from "../volume_usage.ts";
import type { PoolVolume } from "../volumes.ts";
import type { LocalMachine } from "../../machine/machine.ts";

/**
 * - `library`: an ISO, or a disk image that no VM has and nothing is built on
 * - `vm`: a disk that a VM has, or what it is built on; one that a deleted VM has left
 * - `overlay`: a disk that no VM has and that is built on another one
 * - `part`: what belongs to something else: seeds, guest tools, what templates, the bin and snapshots keep, what overlays are
 *   built on
 */
export type ImageRole = "library" | "vm" | "overlay" | "part";

/** Milliseconds a list waits for what the files themselves say. */
const FILES_MS = 1500;
/** Most ISOs whose label is remembered. */
const MOST_LABELS = 10_000;
/** Path and size of an ISO → whether it is a seed. */
const seeds = new Map<string, boolean>();

/** Kind of an image; undefined for other volumes. A name alone makes no CD of a disk that has a format. */
export function imageKind(
  { type, format, name }: Pick<PoolVolume, "type" | "format" | "name">,
): ImageKind | undefined {
  if (type !== "file" && type !== "block" && type !== "network") return undefined;
  if (format === "iso" || (format === "raw" && /\.iso$/i.test(name))) return "iso";
  return "disk";
}

/** Whether an ISO is a seed, by its label; by its name where that cannot be read. */
async function isSeed(
  machine: LocalMachine | null,
  { path, capacity, allocation }: PoolVolume,
): Promise<boolean> {
  if (capacity > MOST_SEED_BYTES) return false;
  const byName = path.endsWith(SEED_SUFFIX);
  if (machine === null) return byName;
  const key = `${path}\n${capacity}\n${allocation}`, known = seeds.get(key);
  if (known !== undefined) return known;
  let found = byName;
  try {
    const read = imageHeadBytes(machine, path).then((head) => {
      found = hasSeedLabel(head) ?? byName;
      if (seeds.size >= MOST_LABELS) seeds.clear();
      seeds.set(key, found);
    });
    await within(FILES_MS, read);
  } catch (error) {
    log.debug("the label of an ISO cannot be read", { path, error });
  }
  return found;
}

/** Paths of the volumes that deleted VMs have left. Another file at the path of one does not count. */
async function leftAmong(
  { leftDisks, id, link }: LibvirtHost,
  volumes: readonly PoolVolume[],
): Promise<string[]> {
  const found: string[] = [];
  const look = async ({ path }: PoolVolume) => {
    const left = leftDisks.at(id, path);
    if (left === undefined) return;
    const file = left.file === null || link.machine === null ? undefined : await fileAt(link.machine, path);
    if (file === undefined || file === left.file) found.push(path);
    else leftDisks.forget(left);
  };
  await within(FILES_MS, Promise.all(volumes.map(look)));
  return found;
}

export class ImageRoles {
  private constructor(
    /** Users of each volume. */
    readonly usage: VolumeUsage,
    private readonly seedPaths: ReadonlySet<string>,
    private readonly basePaths: ReadonlySet<string>,
    private readonly leftPaths: ReadonlySet<string>,
    private readonly locks: StorageLocks,
  ) {}

  /** @param volumes all that are asked about, and those that may be built on them */
  static async read(host: LibvirtHost, volumes: readonly PoolVolume[]): Promise<ImageRoles> {
    const [usage, left, found] = await Promise.all([
      VolumeUsage.read(host),
      leftAmong(host, volumes),
      Promise.all(
        volumes.filter((volume) => imageKind(volume) === "iso").map(async (volume) =>
          await isSeed(host.machine, volume) ? [volume.path] : []
        ),
      ),
    ]);
    const bases = volumes.flatMap(({ backing }) => backing?.path ?? []);
    return new ImageRoles(usage, new Set(found.flat()), new Set(bases), new Set(left), host.locks);
  }

  /** Whether other volumes are built on it, or something else than a VM needs it. */
  isBase(volume: PoolVolume): boolean {
    return this.basePaths.has(volume.path) || this.usage.isKept(volume);
  }

  /** Role of a volume; undefined if it is no image, or not complete yet. */
  of(volume: PoolVolume): ImageRole | undefined {
    const kind = imageKind(volume);
    if (kind === undefined || this.locks.isUnfinished(volume.pool, volume.name)) return undefined;
    if (kind === "iso") return this.seedPaths.has(volume.path) || isToolsCd(volume.name) ? "part" : "library";
    if (this.usage.isKept(volume)) return "part";
    if (this.usage.isOfVm(volume)) return "vm";
    if (this.basePaths.has(volume.path)) return "part";
    if (this.leftPaths.has(volume.path)) return "vm";
    return volume.backing === undefined ? "library" : "overlay";
  }
}
