/** Reads the protection of the disks of this host's VMs, and which storage is shared. Changes nothing that stays. */
import { join } from "node:path";
import type { LockManager, OtherHost, SharedDisk } from "../../../lib/contract/mod.ts";
import type { DomainRecord } from "../../../ffi/calls/mod.ts";
import type { Disk } from "../../../lib/contract/vm.ts";
import { isBelow, mountLines, mountOf } from "../../../lib/formats/mountinfo.ts";
import type { LockFacts } from "../../../lib/system/doctor/facts.ts";
import { lockedFile, processLocks } from "../../../lib/system/lock_manager/kernel_locks.ts";
import {
  LOCK_CONF,
  type LockConfTexts,
  readLockSettings,
} from "../../../lib/system/lock_manager/settings.ts";
import {
  networkMount,
  networkStorageOf,
  type PoolPlace,
  poolPlace,
  sharedDisks,
  type StorageKnowledge,
} from "../../../lib/system/lock_manager/shared_storage.ts";
import { isSystemError, isThere, textAt, undefinedIfMissing } from "../../machine/files.ts";
import { hostFiles } from "../../machine/host_files.ts";
import { FolderMarks } from "../../storage/folder_marks.ts";
import { sanlockStatus } from "./sanlock.ts";
import { daemonStart, findDaemon, libvirtDaemon, listensAt, loadedDrivers, LOCK_SOCKETS } from "./daemons.ts";

/** A VM, as far as locks are about it. */
export interface LockedVm {
  readonly name: string;
  readonly isRunning: boolean;
  readonly disks: readonly Disk[];
}

/** VMs, pools and linked hosts that are examined. */
export interface LockSources {
  readonly vms: readonly LockedVm[];
  readonly pools: readonly { readonly xml: string }[];
  /** Asks linked hosts; undefined where there are none, or they are not to be asked. */
  readonly others?: ((marks: readonly string[]) => Promise<readonly AnsweringHost[]>) | undefined;
}

/** `virDomainState` of what has a QEMU: running, blocked, paused, shutting down, suspended by its guest. */
const RUNNING: ReadonlySet<number> = new Set([1, 2, 3, 4, 7]);

/** The domains of a libvirt, as locks are about them, and names of those that start with the host. */
export function lockedVms(domains: readonly DomainRecord[]) {
  return {
    vms: domains.map(({ name, state, summary }): LockedVm => ({
      name,
      isRunning: RUNNING.has(state),
      disks: summary.disks,
    })),
    autostart: domains.filter(({ autostart }) => autostart).map(({ name }) => name),
  };
}

/** A linked host, and what it has answered; null where it has not. */
export interface AnsweringHost {
  readonly host: string;
  readonly answer: Pick<LockManager, "driver" | "lockspace" | "networks" | "sees" | "hostNumber"> | null;
}

/** Most disks, networks and folders that are told, and looked for. */
const MOST = 100, MOST_MARKS = 64;

/** Folders of libvirt's lock drivers on the distributions that people use. */
const DRIVERS = ["/usr/lib64", "/usr/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"].map((
  folder,
) => `${folder}/libvirt/lock-driver`);

/** The files' texts. @throws {Deno.errors.PermissionDenied} where only root may read them */
export async function lockConfTexts(): Promise<LockConfTexts> {
  const read = async (path: string) => await textAt(path) ?? "";
  const [qemu, lockd, sanlock] = await Promise.all([
    read(LOCK_CONF.qemu),
    read(LOCK_CONF.lockd),
    read(LOCK_CONF.sanlock),
  ]);
  return { qemu, lockd, sanlock };
}

/** Whether libvirt has a lock driver. */
export async function hasDriver(name: "lockd" | "sanlock"): Promise<boolean> {
  return (await Promise.all(DRIVERS.map((folder) => isThere(`${folder}/${name}.so`)))).includes(true);
}

/** How many leases virtlockd holds; null where it does not run, or is not to be seen. */
export async function heldLeases(): Promise<number | null> {
  const daemon = await findDaemon(["virtlockd"]);
  if (daemon === undefined) return null;
  const at = daemon.words.findIndex((word) => word === "--pid-file" || word === "-p");
  const own = at < 0 ? "/run/virtlockd.pid" : daemon.words[at + 1] ?? "";
  const info = await undefinedIfMissing(Deno.stat(own));
  const pidFile = info === undefined ? undefined : lockedFile(info);
  const locks = processLocks(await Deno.readTextFile("/proc/locks"));
  return locks.filter(({ pid, file }) => pid === daemon.pid && file !== pidFile).length;
}

/** Whether libvirt runs with other settings than its files have. */
async function isPending(driver: LockManager["driver"]): Promise<boolean> {
  const daemon = await libvirtDaemon();
  const startedAt = daemon && await daemonStart(daemon);
  if (daemon === undefined || startedAt === undefined) return false;
  const isNewer = async (path: string) => {
    const changed = (await undefinedIfMissing(Deno.stat(path)))?.mtime?.getTime();
    return changed !== undefined && changed > startedAt;
  };
  if ((driver === "lockd" || driver === "sanlock") && await isNewer(LOCK_CONF[driver])) return true;
  const loaded = await loadedDrivers(daemon);
  if (loaded === undefined) return driver !== "none" && await isNewer(LOCK_CONF.qemu);
  return driver === "none" ? loaded.length > 0 : !loaded.includes(driver);
}

/** Mounts, by the paths that disks and pools have: without links where those lead somewhere. */
async function knowledgeOf(
  vms: readonly LockedVm[],
  pools: readonly PoolPlace[],
): Promise<{ readonly knowledge: StorageKnowledge; readonly folders: readonly string[] }> {
  const folders = new Set<string>();
  for (const { disks } of vms) {
    for (const { type, source = "", readOnly } of disks) {
      if (type === "file" && source.startsWith("/") && !readOnly) {
        folders.add(source.slice(0, source.lastIndexOf("/")));
      }
    }
  }
  for (const { path } of pools) if (path !== undefined && !path.startsWith("/dev")) folders.add(path);
  const mounts = mountLines(await Deno.readTextFile("/proc/self/mountinfo"));
  return { knowledge: { mounts, pools, seenBy: new Map() }, folders: [...folders].slice(0, MOST_MARKS) };
}

/** Of marks, those that the folders of pools have here. */
export async function seenMarks(
  marks: readonly string[],
  pools: readonly { readonly xml: string }[],
): Promise<string[]> {
  const folders = pools.flatMap(({ xml }) => {
    const { path } = poolPlace(xml);
    return path === undefined || path.startsWith("/dev") ? [] : [path];
  });
  const seen: string[] = [];
  for (const mark of marks) {
    for (const folder of folders) {
      if (!await isMarked(join(folder, mark))) continue;
      seen.push(mark);
      break;
    }
  }
  return seen;
}

async function isMarked(path: string): Promise<boolean> {
  try {
    return (await undefinedIfMissing(hostFiles.lstat(path)))?.isFile ?? false;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return false; // a folder that is not to be entered has nothing in common with another host
  }
}

/** Folders that linked hosts have in common with this one. @returns folder → host for folders that both see */
async function commonStorage(
  ask: NonNullable<LockSources["others"]>,
  folders: readonly string[],
  networks: (seenBy: ReadonlyMap<string, string>) => readonly string[],
): Promise<{ readonly others: OtherHost[]; readonly seenBy: Map<string, string> }> {
  await using marks = await FolderMarks.inFolders(folders);
  const byMark = new Map([...marks.all()].map(([folder, { name }]) => [name, folder]));
  const answers = await ask([...byMark.keys()]);
  const seenBy = new Map<string, string>(), own = new Set(networks(seenBy));
  const others = answers.slice(0, MOST).map(({ host, answer }): OtherHost => {
    if (answer === null) return { host, driver: null, lockspace: null, storage: null };
    const seen = answer.sees.flatMap((mark) => byMark.get(mark) ?? []);
    for (const folder of seen) if (!seenBy.has(folder)) seenBy.set(folder, host);
    const storage = seen[0] ?? answer.networks.find((network) => own.has(network)) ?? null;
    const { driver, lockspace, hostNumber = null } = answer;
    return { host, driver, lockspace, storage, hostNumber };
  });
  return { others, seenBy };
}

/** Whether a folder is in one that another host sees as well, and is not mounted there by itself. */
function isBelowSeen(folder: string, { mounts, seenBy }: StorageKnowledge): boolean {
  const mount = mountOf(mounts, folder);
  return [...seenBy.keys()].some((seen) => isBelow(folder, seen) && mountOf(mounts, seen) === mount);
}

const disksOf = (vms: readonly LockedVm[], knowledge: StorageKnowledge): SharedDisk[] =>
  vms.flatMap(({ name, disks }) => sharedDisks(name, disks, knowledge));

/** Reads the lock facts. @throws {Deno.errors.PermissionDenied} where only root may read libvirt's files */
export async function lookAtLocks({ vms, pools: records, others: ask }: LockSources): Promise<LockFacts> {
  const settings = readLockSettings(await lockConfTexts());
  const pools = records.map(({ xml }) => poolPlace(xml));
  const { knowledge, folders } = await knowledgeOf(vms, pools);
  const networks = () => networkStorageOf(knowledge, disksOf(vms, knowledge));
  const { others, seenBy } = ask === undefined
    ? { others: [], seenBy: new Map<string, string>() }
    : await commonStorage(ask, folders, networks);
  const { driver, lockspace } = settings, known = { ...knowledge, seenBy };
  const daemon = driver === "lockd" || driver === "sanlock" ? driver : undefined;
  const real = lockspace === null ? undefined : await undefinedIfMissing(hostFiles.realPath(lockspace));
  const isShared = real !== undefined &&
    (networkMount(known.mounts, real) !== undefined || isBelowSeen(real, known));
  const sanlock = await sanlockStatus();
  return {
    ...settings,
    pending: await isPending(driver),
    plugin: await hasDriver(daemon ?? "lockd"),
    daemon: daemon === undefined ? false : await listensAt(LOCK_SOCKETS[daemon]),
    lockspaceShared: lockspace === null ? null : isShared,
    leases: driver === "sanlock" ? sanlock?.leases.length ?? null : await heldLeases(),
    sanlock: {
      plugin: await hasDriver("sanlock"),
      daemon: await listensAt(LOCK_SOCKETS.sanlock),
      joined: sanlock?.joined ?? null,
    },
    runningVms: vms.filter(({ isRunning }) => isRunning).length,
    sharedDisks: disksOf(vms, known).slice(0, MOST),
    networks: networks().slice(0, MOST),
    others,
  };
}

/** Whether no disk is known to be on storage that other hosts have, or shareable. */
export async function onlyOwnDisks({ vms, pools }: LockSources): Promise<boolean> {
  const { knowledge } = await knowledgeOf(vms, pools.map(({ xml }) => poolPlace(xml)));
  return disksOf(vms, knowledge).length === 0;
}
