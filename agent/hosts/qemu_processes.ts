/**
 * The QEMU processes of this host, by the VM they run. Their state shows what asking libvirt would only find out by hanging:
 * a process that is stopped, or that waits in the kernel for storage which does not respond, answers no monitor.
 */
import { isSystemError } from "../files.ts";
import { log } from "../log.ts";
import { processes, wordsOf } from "../processes.ts";

/** Milliseconds between two searches for processes that are not known. */
const SEARCH_MS = 10_000;
/** Looks in a row in which a process waits in the kernel, after which it counts as not answering: most waits are short. */
const WAITING_LOOKS = 2;

/** What keeps a QEMU from answering, in the words that people are told. */
const TROUBLE = {
  stopped: "its QEMU process is stopped (SIGSTOP)",
  waiting: "its QEMU process waits in the kernel: storage that does not respond",
} as const;

/** The VM's id that a QEMU was started with; undefined for other programs. Pure. */
export function vmOfQemu(words: readonly string[]): string | undefined {
  const program = words[0]?.split("/").at(-1) ?? "";
  if (!/^(qemu-system-|qemu-kvm)/.test(program)) return undefined;
  return words[words.indexOf("-uuid") + 1 || words.length]?.toLowerCase();
}

/** The QEMUs of this host: VM's id → number of the process. Where processes cannot be seen there are none. */
export async function qemuProcesses(): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  try {
    for await (const pid of processes()) {
      const uuid = vmOfQemu(await wordsOf(pid));
      if (uuid !== undefined) found.set(uuid, Number(pid));
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
    log.warn("the processes of this host cannot be seen", { error });
  }
  return found;
}

/** The process of the swtpm that serves the TPM of a VM; undefined where there is none, or none is to be seen. */
export async function swtpmOf(uuid: string): Promise<number | undefined> {
  for await (const pid of processes()) {
    const [program = "", ...args] = await wordsOf(pid);
    if (program.split("/").at(-1) === "swtpm" && args.some((word) => word.includes(`/${uuid}/`))) {
      return Number(pid);
    }
  }
}

/** State and start of a process; undefined once it has ended. Source: proc(5), fields 3 and 22 of /proc/PID/stat. */
export function processState(pid: number): { readonly state: string; readonly started: string } | undefined {
  let text: string;
  try {
    // A few microseconds, and never a wait: no thread is taken for it
    text = Deno.readTextFileSync(`/proc/${pid}/stat`);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return undefined;
  }
  // The command's name stands in parentheses and may hold spaces and parentheses itself.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0] ?? "", started: fields[19] ?? "" };
}

interface Known {
  readonly pid: number;
  readonly started: string;
  waits: number;
}

/** Looks at the processes of running VMs. */
export class QemuProcesses {
  readonly #known = new Map<string, Known>();
  #searchedAt = -Infinity;
  #searching: Promise<void> | undefined;

  /** The process of a VM as last found; undefined where it is not known or has ended. */
  pidOf(uuid: string): number | undefined {
    const known = this.#known.get(uuid);
    return known !== undefined && processState(known.pid)?.started === known.started ? known.pid : undefined;
  }

  /** What keeps the QEMUs of running VMs from answering, in words; those that may answer are left out. */
  async look(uuids: readonly string[]): Promise<Map<string, string>> {
    const running = new Set(uuids);
    for (const uuid of this.#known.keys()) if (!running.has(uuid)) this.#known.delete(uuid);
    if (uuids.some((uuid) => this.pidOf(uuid) === undefined)) await this.#search();
    const found = new Map<string, string>();
    for (const uuid of uuids) {
      const known = this.#known.get(uuid);
      const now = known && processState(known.pid);
      if (known === undefined || now?.started !== known.started) continue;
      known.waits = now.state === "D" ? known.waits + 1 : 0;
      if (now.state === "T" || now.state === "t") found.set(uuid, TROUBLE.stopped);
      else if (known.waits >= WAITING_LOOKS) found.set(uuid, TROUBLE.waiting);
    }
    return found;
  }

  /** Searches for all of them, but not all the time: those of a VM that has just stopped are never found. */
  async #search(): Promise<void> {
    if (performance.now() - this.#searchedAt < SEARCH_MS) return await this.#searching;
    this.#searchedAt = performance.now();
    this.#searching = (async () => {
      for (const [uuid, pid] of await qemuProcesses()) {
        const started = processState(pid)?.started;
        if (started === undefined) continue;
        const known = this.#known.get(uuid);
        if (known?.pid !== pid || known.started !== started) {
          this.#known.set(uuid, { pid, started, waits: 0 });
        }
      }
    })();
    await this.#searching;
  }
}
