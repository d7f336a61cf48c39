/** The programs of this host that copy into an image, whoever runs them: libvirtd leaves its own behind when it dies. */
import { log } from "../log.ts";
import { argumentsOf, processes } from "../machine/processes.ts";

/** Milliseconds after which a program that was told to end is ended, and between two looks whether it has. */
const GRACE_MS = 5000, LOOK_MS = 50;

/** Whether a process is a qemu-img that copies into `target`. */
async function copiesInto(pid: string, target: string): Promise<boolean> {
  const words = (await argumentsOf(pid)).filter((word) => word !== "");
  return words[0]?.endsWith("qemu-img") === true && words[1] === "convert" && words.at(-1) === target;
}

async function writersOf(target: string): Promise<number[]> {
  const found: number[] = [];
  for await (const pid of processes()) {
    if (await copiesInto(pid, target)) found.push(Number(pid));
  }
  return found;
}

function tell(pid: number, signal: "SIGTERM" | "SIGKILL"): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    log.debug("a copy could not be ended", { pid, error }); // not ours to end, or gone
  }
}

/**
 * Ends every program that copies into an image.
 *
 * @returns whether there is none any more
 */
export async function endWriters(target: string): Promise<boolean> {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    for (const pid of await writersOf(target)) tell(pid, signal);
    const deadline = performance.now() + GRACE_MS;
    while (performance.now() < deadline) {
      if ((await writersOf(target)).length === 0) return true;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }
  return false;
}
