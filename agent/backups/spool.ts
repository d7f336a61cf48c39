/**
 * Folders that QEMU copies disks to before they are taken into a store: on this host, never in the store
 * itself, which may be elsewhere, and has no unencrypted data if it is encrypted. A folder is recorded before
 * it is made, so that it is deleted after any interruption.
 */
import { ContractError, type Disk } from "../../lib/contract/mod.ts";
import { describePool } from "../../lib/formats/xml/pool.ts";
import { Mutex } from "../../lib/mutex.ts";
import { SYSTEM_CLOCK } from "../clock.ts";
import { undefinedIfMissing } from "../machine/files.ts";
import { plainPath } from "../machine/host_file.ts";
import { hostFiles } from "../machine/host_files.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { log } from "../log.ts";
import type { Steps } from "../operations/operation.ts";
import { left, NOTHING, removed, t } from "../operations/outcome.ts";
import type { StepRule } from "../operations/settlement.ts";
import type { BackupSpooled } from "../operations/step.ts";
import { isActivePool } from "../storage/shared.ts";
import { endCopy } from "../vm/running_disks.ts";
import { MIB } from "../../lib/text/byte_units.ts";
import { message } from "../../lib/i18n/message.ts";

/** Prefix of such a folder's name. */
const PREFIX = ".kvm-manager-spool-";
/** Storage pools whose volumes are files in a folder. */
export const FOLDER_POOLS: ReadonlySet<string> = new Set(["dir", "fs", "netfs"]);
/** Share of a file system, and bytes at most, that are left free: VMs write to it, too. */
const RESERVE = { share: 0.05, mostBytes: 1024 ** 3 } as const;

/** Those that this process works with, and how much each is to hold on which file system. */
const live = new Map<string, { readonly device: number; readonly needBytes: number }>();
/** They are made one after the other: each counts with what those before it will still take. */
const making = new Mutex();

/** There is no room for a spool, or none any more: there may be once other copies have ended. */
export class SpoolFull extends ContractError {}

/** A folder of its own, until it is removed. */
export interface Spool {
  readonly path: string;
  /** Whether a file that QEMU copies to is ours: this copy's, or one that was cut short. */
  isOurs(file: string): boolean;
  /** @throws {ContractError} BackupFailed where the file system is so full that VMs could stop */
  requireRoom(): Promise<void>;
  remove(): Promise<void>;
}

/** A place that it can be made in. */
interface Place {
  readonly folder: string;
  readonly device: number;
  readonly freeBytes: number;
  readonly reserve: number;
}

async function placeAt(folder: string): Promise<Place | undefined> {
  try {
    const { bavail, blocks, bsize } = await hostFiles.statfs(folder);
    const reserve = Math.min(RESERVE.mostBytes, blocks * bsize * RESERVE.share);
    return { folder, device: (await hostFiles.stat(folder)).dev, freeBytes: bavail * bsize, reserve };
  } catch (error) {
    log.debug("no backup can be spooled there", { folder, error });
    return undefined;
  }
}

/** Whether everybody gets into a folder: QEMU is another user. */
async function isEnterable(folder: string): Promise<boolean> {
  const parts = folder.split("/").filter((part) => part !== "");
  for (let length = 1; length <= parts.length; length++) {
    const info = await undefinedIfMissing(hostFiles.stat(`/${parts.slice(0, length).join("/")}`));
    if (((info?.mode ?? 0) & 0o001) === 0) return false;
  }
  return true;
}

/** Bytes that other copies will still write to a file system. */
async function promisedOn(device: number): Promise<number> {
  let sum = 0;
  for (const [path, spool] of live) {
    if (spool.device === device) sum += Math.max(0, spool.needBytes - await bytesIn(path));
  }
  return sum;
}

/** Bytes that the files of a spool take. */
async function bytesIn(path: string): Promise<number> {
  let sum = 0;
  const files = await undefinedIfMissing(hostFiles.readDir(plainPath(path)));
  for (const { name } of files ?? []) {
    sum += ((await undefinedIfMissing(hostFiles.lstat(plainPath(`${path}/${name}`))))?.blocks ?? 0) * 512;
  }
  return sum;
}

const folderOf = (path: string) => path.slice(0, path.lastIndexOf("/")) || "/";

/** The folders that are asked: the disks' own ones, those of pools, that of KVM Manager's state. */
function foldersFor(
  host: LibvirtHost,
  disks: readonly Disk[],
  stateDir: string,
): { own: string[]; other: string[] } {
  const own = disks.flatMap(({ type, source }) => type === "file" && source ? [folderOf(source)] : []);
  const pools = host.inventory.storage.records().filter(isActivePool).map(({ xml }) => describePool(xml))
    .flatMap(({ type, path }) => path !== undefined && FOLDER_POOLS.has(type) ? [path] : []);
  return { own: [...new Set(own)], other: [...new Set([...pools, stateDir])] };
}

/** Request for a folder. */
export interface SpoolRequest {
  readonly host: LibvirtHost;
  readonly vm: { readonly id: string };
  /** Id of the copy. */
  readonly id: string;
  readonly disks: readonly Disk[];
  /** Bytes that it has to hold, as far as that is known. */
  readonly needBytes: number;
  /** QEMU makes files in it. */
  readonly isForQemu: boolean;
  /** KVM Manager's state folder. */
  readonly stateDir: string;
}

/**
 * Makes the folder: next to the VM's disks where they have room, else where there is most.
 *
 * @throws {SpoolFull} BackupNotPossible where nothing has enough
 */
export async function makeSpool(wish: SpoolRequest, steps: Steps): Promise<Spool> {
  return await making.run(() => make(wish, steps));
}

/** As {@link makeSpool}, alone. */
async function make(wish: SpoolRequest, steps: Steps): Promise<Spool> {
  const { host, vm, id, disks, needBytes, isForQemu, stateDir } = wish;
  const { own, other } = foldersFor(host, disks, stateDir);
  const placesIn = async (folders: readonly string[]) => {
    const found = await Promise.all(folders.map(placeAt));
    return found.filter((place) => place !== undefined).sort((a, b) => b.freeBytes - a.freeBytes);
  };
  const places = [...await placesIn(own), ...await placesIn(other)];
  const promised = new Map<number, number>();
  for (const device of new Set(places.map((place) => place.device))) {
    promised.set(device, await promisedOn(device));
  }
  const room = ({ freeBytes, reserve, device }: Place) => freeBytes - reserve - (promised.get(device) ?? 0);
  for (const place of places.filter((each) => room(each) >= needBytes)) {
    if (isForQemu && !own.includes(place.folder) && !await isEnterable(place.folder)) continue;
    const path = `${place.folder}/${PREFIX}${id}`, mode = isForQemu ? 0o755 : 0o700;
    const noted = steps.add<BackupSpooled>({ kind: "backup-spooled", uuid: vm.id, path });
    try {
      await hostFiles.mkdir(plainPath(path), { mode });
      // Whatever the umask is. libvirt must be able to open it, too: a pool that it cannot read whole goes off.
      await hostFiles.chmod(plainPath(path), mode);
    } catch (error) {
      noted.drop();
      log.debug("no backup can be spooled there", { folder: place.folder, error });
      continue;
    }
    live.set(path, { device: place.device, needBytes });
    return spoolAt(path, place);
  }
  const most = places.reduce((best, each) => Math.max(best, room(each)), 0);
  const mib = (bytes: number) => `${Math.ceil(bytes / MIB)} MiB`;
  throw new SpoolFull("BackupNotPossible", {
    reason: message`its disks are copied on this host first, and there is no room for that: ${
      mib(needBytes)
    } are needed, and ${mib(Math.max(0, most))} are free in the storage pools`,
  });
}

function spoolAt(path: string, { folder, reserve }: Place): Spool {
  return {
    path,
    isOurs: (file) => isSpooled(file) && (file.startsWith(`${path}/`) || !live.has(folderOf(file))),
    requireRoom: async () => {
      const now = await placeAt(folder);
      if (now === undefined || now.freeBytes >= reserve) return;
      throw new SpoolFull("BackupFailed", {
        error: `${folder}, where its disks are copied first, is nearly full, and VMs write to it, too`,
      });
    },
    remove: async () => {
      await undefinedIfMissing(hostFiles.remove(plainPath(path), { recursive: true }));
      live.delete(path);
    },
  };
}

/** Whether a file lies where QEMU copies to for a backup. */
const isSpooled = (file: string): boolean => isSpool(folderOf(file));
const isSpool = (path: string): boolean =>
  new RegExp(`/${RegExp.escape(PREFIX)}[0-9]{8}-[0-9]{6}-[0-9a-f]{8}$`).test(path);

/** How a spool is settled: QEMU copies no more, and what it has copied goes. */
export const backupSpooled: StepRule<"backup-spooled"> = {
  undo: async ({ uuid, path }, { vms }) => {
    if (!isSpool(path)) return left(path, t("operations.is_other"));
    if (vms.inventory.active().includes(uuid)) {
      await endCopy(vms, uuid, (file) => file.startsWith(`${path}/`), SYSTEM_CLOCK);
    }
    const info = await undefinedIfMissing(hostFiles.lstat(plainPath(path)));
    live.delete(path);
    if (info === undefined) return NOTHING;
    if (!info.isDirectory) return left(path, t("operations.is_other"));
    await undefinedIfMissing(hostFiles.remove(plainPath(path), { recursive: true }));
    return removed(path);
  },
};
