/**
 * The QEMU processes of this host, by the VM they run. Their state shows what asking libvirt would only find out by hanging:
 * a process that is stopped, or that waits in the kernel for storage which does not respond, answers no monitor.
 */
import { isSystemError } from "./files.ts";
import { log } from "../log.ts";
import { argumentsOf, processes } from "./processes.ts";

/** Milliseconds between two searches for processes that are not known. */
const SEARCH_MS = 10_000;
/** Milliseconds after which a process that is stopped, or waits in the kernel, counts as not answering: most waits are short. */
const LASTING_MS = { stopped: 1000, traced: 1000, waiting: 6000 } as const;

/** Reasons why a QEMU does not answer, in words for people. */
const TROUBLE = {
  stopped: "its QEMU process is stopped (SIGSTOP)",
  traced: "its QEMU process is stopped by a debugger",
  waiting: "its QEMU process waits in the kernel: storage that does not respond",
} as const;

/** The same by the kernel's letter for it. Source: proc(5), field 3 of /proc/PID/stat. */
const BY_STATE: Readonly<Record<string, keyof typeof TROUBLE>> = { T: "stopped", t: "traced", D: "waiting" };

/** Reason why a QEMU does not answer now. */
export interface ProcessTrouble {
  readonly text: string;
  /** Whether it has done so for long enough to be told. */
  readonly isLasting: boolean;
}

/** The VM's id that a QEMU was started with; undefined for other programs. Pure. */
export function vmOfQemu(words: readonly string[]): string | undefined {
  const program = words[0]?.split("/").at(-1) ?? "";
  if (!/^(qemu-system-|qemu-kvm)/.test(program)) return undefined;
  return words[words.indexOf("-uuid") + 1 || words.length]?.toLowerCase();
}

/** The QEMUs of this host: VM's id → number of the process. Where processes cannot be seen there are none. */
async function qemuProcesses(): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  try {
    for await (const pid of processes()) {
      if (!/^(qemu|kvm)/.test(processState(Number(pid))?.command ?? "")) continue;
      const uuid = vmOfQemu(await argumentsOf(pid));
      if (uuid !== undefined) found.set(uuid, Number(pid));
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
    log.warn("the processes of this host cannot be seen", { error });
  }
  return found;
}

/** The process of the swtpm that serves the TPM of a VM; undefined where there is none, or none is to be seen. */
async function swtpmOf(uuid: string): Promise<number | undefined> {
  for await (const pid of processes()) {
    if (processState(Number(pid))?.command !== "swtpm") continue;
    if ((await argumentsOf(pid)).some((word) => word.includes(`/${uuid}/`))) return Number(pid);
  }
}

/** State of a process by the kernel, which is read without waiting for the process. */
export interface ProcessState {
  /** Its name, 15 characters at most. */
  readonly command: string;
  readonly state: string;
  readonly started: string;
}

/** State of a process; undefined once it has ended. Source: proc(5), fields 2, 3 and 22 of /proc/PID/stat. */
export function processState(pid: number): ProcessState | undefined {
  let text: string;
  try {
    // A few microseconds, and never a wait: no thread is taken for it
    text = Deno.readTextFileSync(`/proc/${pid}/stat`);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return undefined;
  }
  // The command's name stands in parentheses and may hold spaces and parentheses itself.
  const end = text.lastIndexOf(")"), fields = text.slice(end + 2).split(" ");
  return {
    command: text.slice(text.indexOf("(") + 1, end),
    state: fields[0] ?? "",
    started: fields[19] ?? "",
  };
}

interface QemuProcess {
  readonly pid: number;
  readonly started: string;
  /** Since when each look has found it so, by `performance.now()`. */
  trouble: { readonly kind: keyof typeof TROUBLE; readonly since: number } | undefined;
}

/** Looks at the processes of running VMs. */
export class QemuProcesses {
  readonly all = qemuProcesses;
  readonly tpmOf = swtpmOf;
  readonly #known = new Map<string, QemuProcess>();
  #searchedAt = -Infinity;
  #searching: Promise<void> | undefined;

  /** The process of a VM as last found; undefined where it is not known or has ended. */
  pidOf(uuid: string): number | undefined {
    const known = this.#known.get(uuid);
    return known !== undefined && processState(known.pid)?.started === known.started ? known.pid : undefined;
  }

  /** Reasons why the QEMUs of running VMs do not answer; those that may answer are left out. */
  async look(uuids: readonly string[]): Promise<Map<string, ProcessTrouble>> {
    const running = new Set(uuids);
    for (const uuid of this.#known.keys()) if (!running.has(uuid)) this.#known.delete(uuid);
    if (uuids.some((uuid) => !this.#known.has(uuid))) await this.#search();
    const found = new Map<string, ProcessTrouble>(), at = performance.now();
    for (const uuid of uuids) {
      const known = this.#known.get(uuid);
      const now = known && processState(known.pid);
      if (known === undefined) continue;
      if (now?.started !== known.started) {
        this.#known.delete(uuid); // it has ended: another one is searched for at the next look
        continue;
      }
      const kind = BY_STATE[now.state];
      if (kind === undefined) known.trouble = undefined;
      else {
        if (known.trouble?.kind !== kind) known.trouble = { kind, since: at };
        const isLasting = at - known.trouble.since >= LASTING_MS[kind];
        found.set(uuid, { text: TROUBLE[kind], isLasting });
      }
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
          this.#known.set(uuid, { pid, started, trouble: undefined });
        }
      }
    })();
    await this.#searching;
  }
}
