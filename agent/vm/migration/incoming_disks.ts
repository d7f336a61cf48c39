/** Places of the disks of an incoming VM: on storage that both hosts have, or in volumes that are made for them. */
import { ContractError, type Disk } from "../../../lib/contract/mod.ts";
import { summarizeDomain } from "../../../lib/formats/xml/domain.ts";
import { describePool } from "../../../lib/formats/xml/pool.ts";
import type {
  ImageFile,
  IncomingDisk,
  IncomingVm,
  MigrationFinding,
} from "../../../lib/host/migration_protocol.ts";
import { textAt } from "../../machine/files.ts";
import { plainPath } from "../../machine/host_file.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { refuseTooLarge, requireWritable } from "../../storage/volume_checks.ts";
import { requireMakeable } from "../../storage/volume_work.ts";
import { freeCopyName } from "../../storage/free_name.ts";
import { hasFormats, usualPool } from "../../storage/volumes.ts";
import { wholeSectors } from "./image_files.ts";
import { problem, warning } from "./findings.ts";

/** A disk whose content is copied. */
export interface CopiedHere {
  readonly target: string;
  readonly pool: string;
  readonly volume: string;
  readonly format: "qcow2" | "raw";
  /** Bytes, as its guest sees it; of an image that is copied as it is, those of its file. */
  readonly size: number;
  /** The image that is copied byte by byte, and which of the disk's it is; undefined where the content is copied. */
  readonly image?: { readonly index: number; readonly of: ImageFile };
}

/** Plan for all disks of an incoming VM. */
export interface IncomingDisks {
  readonly findings: readonly MigrationFinding[];
  readonly disks: readonly IncomingDisk[];
  readonly copied: readonly CopiedHere[];
}

/** Disks on the network, and what libvirt finds by its pool, are the same from everywhere. */
const isRemote = ({ type }: Disk) => type === "network";

/** Whether an image is the same file here: a file that was just put next to it is seen, in the folder of a pool. */
async function isSame(
  host: LibvirtHost,
  { source = "" }: Disk,
  mark: { name: string; content: string } | undefined,
) {
  const slash = source.lastIndexOf("/");
  if (mark === undefined || slash <= 0) return false;
  const folder = source.slice(0, slash);
  const isPool = host.inventory.storage.records().some(({ xml }) => describePool(xml).path === folder);
  // A folder that is no pool's is none of what this host's VMs have their disks in
  return isPool && (await textAt(plainPath(`${folder}/${mark.name}`)))?.trim() === mark.content;
}

const folderOf = (path: string) => path.slice(0, path.lastIndexOf("/"));

/** The pool that copies go into where none is chosen. */
function usual({ inventory }: LibvirtHost, disk: Disk): string | undefined {
  const slash = (disk.source ?? "").lastIndexOf("/"), folder = disk.source?.slice(0, slash);
  const records = inventory.storage.records();
  const same = records.find((pool) => hasFormats(pool) && describePool(pool.xml).path === folder);
  return same?.name ?? usualPool(records);
}

const isDrive = ({ device }: Disk) => device === "cdrom" || device === "floppy";

/** Decides on each disk. @throws {LibvirtError} */
export async function placeDisks(host: LibvirtHost, wanted: IncomingVm): Promise<IncomingDisks> {
  const findings: MigrationFinding[] = [], disks: IncomingDisk[] = [], copied: CopiedHere[] = [];
  const taken = new Set<string>();
  await host.inventory.storage.refresh();
  for (const disk of summarizeDomain(wanted.live).disks) {
    const { target, source, shareable, readOnly } = disk;
    if (source === undefined) continue;
    const known = wanted.disks.find((each) => each.target === target);
    if (isRemote(disk) || await isSame(host, disk, known?.mark)) {
      const folder = folderOf(source), other = known?.files?.find(({ path }) => folderOf(path) !== folder);
      if (other !== undefined) findings.push(problem("image-apart", { target, path: other.path }));
      disks.push({ target, isShared: true, path: source });
      continue;
    }
    if (isDrive(disk) || readOnly) findings.push(problem("medium", { target, path: source }));
    else if (shareable) findings.push(problem("shareable", { target }));
    else {
      const images = known?.files?.map((of, index) => ({ index, of })) ?? [undefined];
      for (const image of images) {
        const placed = await placeCopy(host, disk, known?.size ?? 0, wanted, taken, image);
        if ("check" in placed) {
          findings.push(placed);
          break;
        }
        taken.add(`${placed.pool}/${placed.volume}`);
        copied.push(placed);
        if (image === undefined || image.index === 0) {
          disks.push({ target, isShared: false, pool: placed.pool, volume: placed.volume });
        }
      }
    }
  }
  findings.push(...lackingRoom(host, copied));
  return { findings, disks, copied };
}

async function placeCopy(
  host: LibvirtHost,
  disk: Disk,
  size: number,
  { pool: all, pools = {} }: IncomingVm,
  taken: ReadonlySet<string>,
  image: CopiedHere["image"],
): Promise<CopiedHere | MigrationFinding> {
  const { target } = disk, chosen = Object.hasOwn(pools, target) ? pools[target] : all;
  const pool = chosen ?? usual(host, disk);
  if (pool === undefined) return problem("no-pool");
  try {
    const keepsFormats = hasFormats(requireMakeable(host, pool));
    await requireWritable(host, pool);
    if (image !== undefined && !keepsFormats) return problem("image-pool", { target, pool });
    const kind = image?.of.format ?? disk.format, source = image?.of.path ?? disk.source ?? "";
    const format = keepsFormats && kind === "qcow2" ? "qcow2" : "raw";
    const from = source.slice(source.lastIndexOf("/") + 1);
    const volume = await freeCopyName(
      host,
      { pool, from, target, format: keepsFormats ? format : undefined },
      (name) => taken.has(`${pool}/${name}`),
    );
    if (image === undefined) return { target, pool, volume, format, size };
    return { target, pool, volume, format, size: wholeSectors(image.of.bytes), image };
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    return problem("pool", { target, pool, reason: error.message });
  }
}

/** Pools without room for what goes into them. */
function lackingRoom(host: LibvirtHost, copied: readonly CopiedHere[]): MigrationFinding[] {
  const found: MigrationFinding[] = [];
  for (const [pool, into] of Map.groupBy(copied, (each) => each.pool)) {
    try {
      refuseTooLarge(host, pool, into.reduce((sum, { size }) => sum + size, 0));
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      // What is in the bin gives way once it moves
      found.push(warning("room", { pool, reason: error.message }));
    }
  }
  return found;
}
