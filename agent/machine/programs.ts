/**
 * Programs that are run to their end, within a limit. One that waits for a disk or a server in the kernel is not ended
 * by SIGKILL before that answers: then its end is not waited for, and its number is in the log.
 */
import { log } from "../log.ts";
import { isThere } from "./files.ts";

/** Milliseconds that a program which was killed is given. */
const KILLED_MS = 5000;

/** Bytes of what a program says, of each stream: more is held by no caller. */
const MOST_OUTPUT = 64 * 1024 * 1024;

/** A program did not end in its time. */
export class ProgramLate extends Error {
  override readonly name: string = "ProgramLate";
}

/** A program said more than it may: it was killed as one that does not end. */
export class ProgramFloods extends ProgramLate {
  override readonly name = "ProgramFloods";
}

/** The parts of a child that are used. */
export type EndingChild = Pick<Deno.ChildProcess, "pid" | "status" | "kill">;

/** Ends a child at once; one that has ended by itself is left alone. */
export function kill(child: Pick<Deno.ChildProcess, "kill">, signal: Deno.Signal = "SIGKILL"): void {
  try {
    child.kill(signal);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // it has ended
  }
}

/**
 * Kills a child and waits for its end, but not for one that the kernel holds.
 *
 * @param program its name, for the log
 * @returns whether it has ended
 */
export async function killAndWait(child: EndingChild, program: string, mostMs = KILLED_MS): Promise<boolean> {
  kill(child);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((done) => timer = setTimeout(() => done(false), mostMs));
  const hasEnded = await Promise.race([child.status.then(() => true), late]).finally(() =>
    clearTimeout(timer)
  );
  if (!hasEnded) {
    log.warn("a program that was killed does not end: it waits for a disk or a server", {
      program,
      pid: child.pid,
    });
  }
  return hasEnded;
}

/** Ends all processes of a group at once; one that has none (any more) is left alone. */
function killGroup(leader: number): void {
  try {
    Deno.kill(-leader, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** How a program is run. */
export interface ProgramOptions {
  /** Milliseconds that it may take. */
  readonly limitMs: number;
  /** Standard input; empty when left out. */
  readonly input?: string | AsyncIterable<Uint8Array>;
  /** Kills it. */
  readonly signal?: AbortSignal;
  /** Bytes that it may say on each of its streams. */
  readonly mostOutput?: number;
  /** Variables that it has besides ours. */
  readonly env?: Readonly<Record<string, string>>;
  /** It has none of ours. */
  readonly clearEnv?: boolean;
  /** Processes that it has begun end with it, however it ends. */
  readonly endsAll?: boolean;
}

/** How a program ended. */
export interface ProgramEnd {
  readonly success: boolean;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program to its end, in the C locale.
 *
 * @throws {ProgramLate} @throws {ProgramFloods} @throws {Deno.errors.NotFound} if there is no such program
 *   @throws the signal's reason
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  { limitMs, input, env, clearEnv = false, endsAll = false, signal, mostOutput = MOST_OUTPUT }:
    ProgramOptions,
): Promise<ProgramEnd> {
  signal?.throwIfAborted();
  const child = new Deno.Command(program, {
    args: [...args],
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    env: { LC_ALL: "C", ...env },
    clearEnv,
    detached: endsAll,
  }).spawn();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stop = () => {};
  const late = new Promise<undefined>((done) => {
    stop = () => done(undefined);
    timer = setTimeout(stop, limitMs);
  });
  signal?.addEventListener("abort", stop);
  const feeding = input === undefined ? undefined : feed(child, input);
  let isFlood = false;
  const flood = () => {
    isFlood = true;
    stop();
  };
  const said = [child.stdout, child.stderr].map((stream) => saidBy(stream, mostOutput, flood));
  const ending = Promise.all([child.status, Promise.all(said), feeding]);
  const ended = await Promise.race([ending, late]).finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
    if (endsAll) killGroup(child.pid);
  });
  if (ended === undefined || isFlood) {
    ending.catch((error) => log.debug("a program that was late failed", { program, error }));
    if (!await killAndWait(child, program)) child.unref();
    signal?.throwIfAborted();
    if (isFlood) throw new ProgramFloods(`${program} says more than ${mostOutput} bytes`);
    throw new ProgramLate(`${program} did not end within ${Math.round(limitMs / 1000)} seconds`);
  }
  const [{ success, code }, [stdout = "", stderr = ""]] = ended;
  return { success, code, stdout, stderr };
}

/** Output of a program on a stream. @param flood called for more than `most` bytes, of which no more is read */
async function saidBy(stream: ReadableStream<Uint8Array>, most: number, flood: () => void): Promise<string> {
  const decoder = new TextDecoder();
  let text = "", size = 0;
  for await (const piece of stream) {
    size += piece.length;
    if (size > most) {
      flood();
      break;
    }
    text += decoder.decode(piece, { stream: true });
  }
  return text + decoder.decode();
}

async function feed(child: Deno.ChildProcess, input: string | AsyncIterable<Uint8Array>): Promise<void> {
  const writer = child.stdin.getWriter();
  const pieces = typeof input === "string" ? [new TextEncoder().encode(input)] : input;
  try {
    for await (const piece of pieces) await writer.write(piece);
    await writer.close();
  } catch (error) {
    // It ended before it had read everything: what it said tells why.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/** Folders in which libvirt looks for the programs it runs. */
const PROGRAMS = ["/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/local/bin"];

/** Whether a program is where libvirt looks for it. */
export async function hasProgram(name: string): Promise<boolean> {
  const found = await Promise.all(PROGRAMS.map((folder) => isThere(`${folder}/${name}`)));
  return found.includes(true);
}
