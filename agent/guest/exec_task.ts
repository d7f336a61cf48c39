/** A program in a guest as a task: who asked has the task at once, its log has the output as it comes. */
import { message, vmName } from "../../lib/i18n/message.ts";
import {
  ContractError,
  type Input,
  type Job,
  MOST_EXEC_TASKS,
  MOST_TASK_OUTPUT_MIB,
  type VM,
} from "../../lib/contract/mod.ts";
import { oneLine } from "../../lib/text/text.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { contractError } from "../libvirt/failure.ts";
import type { Jobs } from "../jobs/jobs.ts";
import { log } from "../log.ts";
import type { GuestBackend } from "./backend.ts";

/** Lines of output that are logged as they come; of what follows the last ones are, at the end. */
const FIRST_LINES = 120, LAST_LINES = 60;
/** Characters of a line. */
const MOST_LINE = 900;

/** Cuts output into lines, and bounds them. */
export class LoggedOutput {
  readonly #decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  readonly #halves = { stdout: "", stderr: "" };
  readonly #last: string[] = [];
  #count = 0;

  constructor(private readonly write: (line: string) => void) {}

  /** Takes what came. */
  add(stream: "stdout" | "stderr", bytes: Uint8Array): void {
    const lines = (this.#halves[stream] + this.#decoders[stream].decode(bytes, { stream: true })).split("\n");
    // A line without end is cut, so that none is kept that grows for ever
    const half = lines.pop()!;
    if (half.length > MOST_LINE) lines.push(half);
    this.#halves[stream] = half.length > MOST_LINE ? "" : half;
    for (const line of lines) this.#put(stream, line);
  }

  #put(stream: "stdout" | "stderr", line: string): void {
    const text = `${stream === "stderr" ? "! " : ""}${oneLine(line, MOST_LINE)}`;
    if (this.#count++ < FIRST_LINES) return this.write(text);
    this.#last.push(text);
    if (this.#last.length > LAST_LINES) this.#last.shift();
  }

  /** Writes what is left. */
  end(): void {
    for (const stream of ["stdout", "stderr"] as const) {
      const half = this.#halves[stream];
      if (half !== "") this.#put(stream, half);
    }
    const lost = this.#count - FIRST_LINES - this.#last.length;
    if (lost > 0) this.write(`… ${lost} lines …`);
    for (const line of this.#last) this.write(line);
  }
}

/** Whether somebody may begin one more. @throws {ContractError} TooManyRequests */
function requirePlace(jobs: Pick<Jobs, "list">, actor: string): void {
  const isOwn = (job: Pick<Job, "actor" | "command">) =>
    job.command === "guest_exec_task" && job.actor === actor;
  if (jobs.list(MOST_EXEC_TASKS, true, isOwn).length < MOST_EXEC_TASKS) return;
  throw new ContractError("TooManyRequests", { what: "programs of yours in guests", limit: MOST_EXEC_TASKS });
}

/** Begins it. @returns the task @throws {ContractError} TooManyRequests */
export async function execAsTask(
  { jobs }: Pick<LibvirtHost, "jobs">,
  { vm, agent }: { readonly vm: VM; readonly agent: Pick<GuestBackend, "exec"> },
  { command, args = [], env, seconds }: Input<"guest_exec_task"> & { readonly seconds: number },
  actor: string,
): Promise<{ jobId: string }> {
  requirePlace(jobs, actor);
  const job = await jobs.open({
    command: "guest_exec_task",
    title: message`Run ${oneLine(command.split(/[/\\]/).at(-1)!, 60)} in ${vmName(vm)}`,
    actor,
    vmId: vm.id,
    subject: oneLine([command, ...args].join(" "), 200),
    ifInterrupted: "What it has done in the guest stays. Look there before it is run again.",
  });
  const output = new LoggedOutput((line) => job.log(line));
  const tooMuch = new AbortController();
  let left = MOST_TASK_OUTPUT_MIB * 1024 * 1024;
  const take = (stream: "stdout" | "stderr", bytes: Uint8Array) => {
    left -= bytes.length;
    if (left >= 0) return output.add(stream, bytes);
    tooMuch.abort(new ContractError("GuestOutputTooMuch", { limit: MOST_TASK_OUTPUT_MIB }));
  };
  const work = async () => {
    try {
      const { exitCode, timedOut } = await agent.exec(vm, {
        command,
        args,
        seconds,
        signal: AbortSignal.any([job.signal, tooMuch.signal]),
        ...(env !== undefined && { env }),
        onOutput: take,
      }).finally(() => output.end());
      tooMuch.signal.throwIfAborted();
      job.log(
        timedOut ? message`Ended at its time limit of ${seconds} seconds` : message`Exit status ${exitCode}`,
      );
      if (exitCode !== 0) throw new ContractError("GuestProgramFailed", { command, code: exitCode });
      job.done();
    } catch (error) {
      job.failed(contractError(error, "GuestRefused", "guest_exec_task"));
    }
  };
  work().catch((error) => log.error("a task in a guest failed unexpectedly", { vm: vm.name, error }));
  return { jobId: job.id };
}
