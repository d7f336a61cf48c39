/**
 * The gate before files of this host ({@link MountGate}): every look at a path that libvirt or people give goes through
 * it, by `host_file.ts`. A mount that does not respond takes a few blocking threads and no more, and who asks for what
 * is on it is refused at once.
 */
import { statfs } from "node:fs/promises";
import type { ContractError } from "../../lib/contract/mod.ts";
import { SYSTEM_CLOCK } from "../clock.ts";
import { MountGate, type UnresponsiveMount } from "../mounts/gate.ts";
import { MountNotResponding, type MountPoint } from "../mounts/guarded_mount.ts";
import { guardFile } from "../mounts/guarded_file.ts";

export type { UnresponsiveMount };

/**
 * Target of a link; undefined if the path is none, does not exist, or cannot be read: the access itself
 * reports the reason.
 */
async function linkAt(path: string): Promise<string | undefined> {
  try {
    if (!(await Deno.lstat(path)).isSymlink) return undefined;
    return await Deno.readLink(path);
  } catch {
    return undefined;
  }
}

/** The one of this process. */
export const mountGate = new MountGate({
  clock: SYSTEM_CLOCK,
  mountinfo: () => Deno.readTextFileSync("/proc/self/mountinfo"),
  canary: (at) => statfs(at),
  linkAt,
  procText: (path) => Deno.readTextFile(path),
});

/** The mount that a path without links is on; undefined for what is no absolute path. */
export const gatedMountOf = (path: string): MountPoint | undefined => mountGate.mountOf(path);

/** The mount that a path leads to, links followed. @throws {ContractError} StorageNotResponding */
export const mountAt = (path: string): Promise<MountPoint | undefined> => mountGate.mountAt(path);

/** Whether what is mounted at a place answers within so many milliseconds, asked again. */
export const mountAnswersWithin = (ms: number, at: string): Promise<boolean> =>
  mountGate.answersWithin(ms, at);

/** An open file, whose accesses go through the gate as well where its mount can hang. */
export async function guarded(path: string, opening: Promise<Deno.FsFile>): Promise<Deno.FsFile> {
  const file = await opening;
  try {
    if (!(await mountGate.canHangAt(path))) return file;
  } catch (error) {
    file.close();
    throw error;
  }
  return guardFile(file, (run) => mountGate.access(path, run, { kind: "work" }));
}

/** The mounts of this host that do not respond now. */
export const notRespondingMounts = (): readonly UnresponsiveMount[] => mountGate.notResponding();

/** Calls when {@link notRespondingMounts} has changed. @returns ends that */
export const onMountsChange = (listener: () => void): () => void => mountGate.onChange(listener);

/** Waits until every mount on the way to a path is known to respond. @throws {ContractError} StorageNotResponding */
export const requireResponding = (path: string): Promise<void> => mountGate.requireResponding(path);

/** Whether an error says that a file's mount does not respond: nothing is known of the file then. */
export const isNotResponding = (error: unknown): error is ContractError =>
  error instanceof MountNotResponding;

/** Whether every mount on the way to a path responds. @throws {Error} of any other kind */
export async function responds(path: string): Promise<boolean> {
  try {
    await requireResponding(path);
    return true;
  } catch (error) {
    if (isNotResponding(error)) return false;
    throw error;
  }
}
