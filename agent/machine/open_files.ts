/** Open files of processes. Source: proc(5), /proc/PID/fd and /proc/PID/fdinfo. */
import { ofProcess, processes } from "./processes.ts";

/** The access mode within the flags of an open file. Source: open(2). */
const ACCESS_MODE = 0o3;

/** A file descriptor of a process. */
interface Descriptor {
  /** Its number. */
  readonly fd: string;
  /** The path of a file, or what the kernel calls something else: `socket:[4711]`. */
  readonly opened: string;
}

/** The file descriptors of a process; none of one that has ended, or that may not be looked at. */
async function* descriptorsOf(pid: string | number): AsyncGenerator<Descriptor> {
  const folder = `/proc/${pid}/fd`;
  const names = await ofProcess(pid, () => Array.fromAsync(Deno.readDir(folder), ({ name }) => name));
  for (const fd of names ?? []) {
    const opened = await ofProcess(pid, () => Deno.readLink(`${folder}/${fd}`));
    if (opened !== undefined) yield { fd, opened };
  }
}

/**
 * How a process has files open.
 *
 * @param paths without symbolic links
 * @returns path → whether it may write to it; one that it does not have open is left out
 */
export async function openFilesOf(pid: number, paths: readonly string[]): Promise<Map<string, boolean>> {
  const found = new Map<string, boolean>();
  for await (const { fd, opened } of descriptorsOf(pid)) {
    if (!paths.includes(opened)) continue;
    const info = await ofProcess(pid, () => Deno.readTextFile(`/proc/${pid}/fdinfo/${fd}`));
    if (info === undefined) continue;
    const flags = /^flags:\s*([0-7]+)/m.exec(info);
    const writes = flags !== null && (parseInt(flags[1]!, 8) & ACCESS_MODE) !== 0;
    found.set(opened, writes || found.get(opened) === true);
  }
  return found;
}

/** The process that has something open, as the kernel calls it; undefined where none is to be seen. */
export async function processWith(what: string): Promise<string | undefined> {
  for await (const pid of processes()) {
    for await (const { opened } of descriptorsOf(pid)) if (opened === what) return pid;
  }
  return undefined;
}
