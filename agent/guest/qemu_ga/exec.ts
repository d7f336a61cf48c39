/** Running programs through QEMU's guest agent, which starts them and is asked until they have ended. */
import { ContractError, MOST_OUTPUT, type VM } from "../../../lib/contract/mod.ts";
import { boundedArgs, ENDED, SHELL, TIMED_OUT } from "../../../lib/guest/bounded_run.ts";
import { type Clock, sleep } from "../../clock.ts";
import type { ExecOutcome, ExecRequest } from "../backend.ts";
import type { QemuAgent } from "./agent.ts";
import { decodedBase64, ExecStarted, ExecStatus } from "./answers.ts";

/** Milliseconds between looks whether it has ended; the last one repeats. */
const LOOKS_MS = [5, 10, 20, 40, 80, 160, 320, 500];
/** Seconds that a script may take longer than the program it ends. */
const GRACE_SECONDS = 15;
/** Characters of both outputs as base64, and what is around them; libvirt passes 4 MiB on. */
const MOST_CHARACTERS = 3_900_000;
/** A program gets only what it is given: without these it would find nothing. */
const POSIX_ENV = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"];
const WINDOWS_ENV = ["SystemRoot=C:\\Windows", "PATH=C:\\Windows\\System32;C:\\Windows"];

/** Whether an error reports a missing program. */
const isMissing = (error: unknown): error is ContractError =>
  error instanceof ContractError && error.code === "GuestRefused" &&
  /No such file or directory|not found|cannot find the file|Failed to execute child process/i.test(
    error.message,
  );

/** An answer that libvirt could not take in whole. */
const isTooLarge = (error: unknown): boolean =>
  error instanceof ContractError && /encode message|too large|too many bytes|more than the \d+/i.test(
    `${error.message} ${error.cause instanceof Error ? error.cause.message : ""}`,
  );

function cut(base64: string | undefined, wasCut: boolean | undefined) {
  const bytes = decodedBase64(base64 ?? "", "guest-exec-status");
  return {
    bytes: bytes.length > MOST_OUTPUT ? bytes.slice(0, MOST_OUTPUT) : bytes,
    isCut: bytes.length > MOST_OUTPUT || wasCut === true,
  };
}

/** Result of a program that has ended. @param tookMs its running time */
function outcome(status: ExecStatus, bounded: boolean, seconds: number, tookMs: number): ExecOutcome {
  const out = cut(status["out-data"], status["out-truncated"]);
  const err = cut(status["err-data"], status["err-truncated"]);
  const { signal, exitcode = 0 } = status;
  const exitCode = signal === undefined ? exitcode : 128 + signal;
  const timedOut = bounded && ENDED.has(exitCode) && tookMs >= seconds * 1000;
  return {
    stdout: out.bytes,
    stderr: err.bytes,
    exitCode: timedOut ? TIMED_OUT : exitCode,
    timedOut,
    stdoutTruncated: out.isCut,
    stderrTruncated: err.isCut,
  };
}

export class QemuExec {
  constructor(private readonly agent: QemuAgent, private readonly clock: Clock) {}

  /**
   * Runs a program; in a guest with a shell within bounds that hold in the guest itself.
   *
   * @throws {ContractError} GuestProgramNotFound, GuestExecTimeout, GuestOutputLost
   */
  async run(vm: VM, request: ExecRequest, isWindows: boolean): Promise<ExecOutcome> {
    const { command, args, seconds } = request;
    if (!isWindows) {
      const most = MOST_OUTPUT + 1; // one more tells that there was more
      const inShell = boundedArgs({ command, args, most, seconds });
      try {
        return await this.#run(vm, request, SHELL, inShell, false);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    }
    try {
      return await this.#run(vm, request, command, args, isWindows);
    } catch (error) {
      if (!isMissing(error)) throw error;
      throw new ContractError("GuestProgramNotFound", { command, error: error.details?.error }, {
        cause: error,
      });
    }
  }

  async #run(
    vm: VM,
    { env, input, seconds, signal }: ExecRequest,
    path: string,
    arg: readonly string[],
    isWindows: boolean,
  ): Promise<ExecOutcome> {
    const bounded = path === SHELL;
    const { pid } = await this.agent.ask(vm, "guest-exec", ExecStarted, {
      path,
      arg,
      "capture-output": true,
      ...(env !== undefined && { env: [...isWindows ? WINDOWS_ENV : POSIX_ENV, ...env] }),
      ...(input !== undefined && { "input-data": input.toBase64() }),
    });
    const began = this.clock.monotonic();
    const end = began + (seconds + (bounded ? GRACE_SECONDS : 0)) * 1000;
    for (let look = 0;; look++) {
      await sleep(this.clock, LOOKS_MS[Math.min(look, LOOKS_MS.length - 1)]!);
      signal?.throwIfAborted(); // it runs on in the guest, up to its limit
      const status = await this.#status(vm, pid);
      const tookMs = this.clock.monotonic() - began;
      if (status.exited) return outcome(status, bounded, seconds, tookMs);
      if (this.clock.monotonic() > end) throw new ContractError("GuestExecTimeout", { seconds, pid });
    }
  }

  async #status(vm: VM, pid: number): Promise<ExecStatus> {
    try {
      return await this.agent.ask(vm, "guest-exec-status", ExecStatus, { pid }, { most: MOST_CHARACTERS });
    } catch (error) {
      if (isTooLarge(error)) throw new ContractError("GuestOutputLost", undefined, { cause: error });
      throw error;
    }
  }
}
