/** How a process has a file open. Source: proc(5), /proc/PID/fd and /proc/PID/fdinfo. */
import { ofProcess } from "./processes.ts";

/** The access mode within the flags of an open file. Source: open(2). */
const ACCESS_MODE = 0o3;

/**
 * How a process has files open.
 *
 * @param paths without symbolic links
 * @returns path → whether it may write to it; one that it does not have open is left out
 */
export async function openFilesOf(pid: number, paths: readonly string[]): Promise<Map<string, boolean>> {
  const found = new Map<string, boolean>();
  await ofProcess(pid, async () => {
    for await (const { name } of Deno.readDir(`/proc/${pid}/fd`)) {
      await ofProcess(pid, async () => {
        const path = await Deno.readLink(`/proc/${pid}/fd/${name}`);
        if (!paths.includes(path)) return;
        const flags = /^flags:\s*([0-7]+)/m.exec(await Deno.readTextFile(`/proc/${pid}/fdinfo/${name}`));
        const writes = flags !== null && (parseInt(flags[1]!, 8) & ACCESS_MODE) !== 0;
        found.set(path, writes || found.get(path) === true);
      });
    }
  });
  return found;
}
