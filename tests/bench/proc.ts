/** Figures of the kernel on a process: proc(5). */

/** Milliseconds of a clock tick: sysconf(_SC_CLK_TCK) is 100 on every Linux that Deno runs on. */
const TICK_MS = 10;

/** CPU time of a process and of the children it has waited for, in milliseconds (steps of 10). */
export async function cpuMs(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  // The command name (field 2) may contain blanks and brackets; fields are counted from its last bracket.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [utime, stime, cutime, cstime] = fields.slice(11, 15).map(Number);
  return (utime! + stime! + cutime! + cstime!) * TICK_MS;
}

/** Memory of a process in MB (10⁶ bytes). */
export interface Memory {
  /** Resident, shared pages included. */
  readonly rss: number;
  /** Of that, what is not a file's: heaps and stacks. */
  readonly anon: number;
  /** Resident, shared pages divided among those who share them. */
  readonly pss: number;
}

export async function memoryOf(pid: number): Promise<Memory> {
  const [status, rollup] = await Promise.all(
    ["status", "smaps_rollup"].map((file) => Deno.readTextFile(`/proc/${pid}/${file}`)),
  );
  const field = (text: string, name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1]) * 1024 / 1e6;
  return { rss: field(status!, "VmRSS"), anon: field(status!, "RssAnon"), pss: field(rollup!, "Pss") };
}
