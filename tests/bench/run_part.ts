/** Runs a part of the bench in a process and on a host of its own, with a limit. */
import { fileURLToPath } from "node:url";
import { messageOf } from "../../lib/text/message.ts";
import { Unavailable } from "../testbed/unavailable.ts";
import { jsonLines } from "./answering_process.ts";
import type { Order, Told } from "./part.ts";
import { NEEDS } from "./needs.ts";
import { type BenchPart, idOf } from "./parts.ts";
import type { Row } from "./row.ts";
import { world } from "./world.ts";

const PART = fileURLToPath(new URL("part.ts", import.meta.url));
/** Flags and environment of the product (scripts/pack.ts): some parts run its code in their own process. */
const FLAGS = ["--v8-flags=--max-semi-space-size=1"], ENV = { MALLOC_ARENA_MAX: "2" };
/** Milliseconds for installing or building a need, for making a host, and for ending it. */
const NEED_MS = 900_000, HOST_MS = 120_000, END_MS = 60_000;

/** How a part ended. `stopped`: the user had the bench stop. */
export interface Outcome {
  readonly how: "complete" | "unavailable" | "failed" | "late" | "stopped";
  readonly reason?: string;
}

/** Options of {@link runPart} besides the part. */
export interface RunOptions extends Pick<Order, "quick" | "cache"> {
  /** Ends the part. */
  readonly stop: AbortSignal;
  /** Called with each row as it comes. */
  readonly told: (row: Row) => void;
}

/** Runs a part. What goes wrong is in the outcome. */
export async function runPart(part: BenchPart, { quick, cache, stop, told }: RunOptions): Promise<Outcome> {
  try {
    for (const need of part.needs ?? []) {
      await inTime<unknown>(NEED_MS, `what it needs (${need})`, NEEDS[need]());
    }
    const host = await inTime(HOST_MS, "its host", world(part.machines ?? 0));
    try {
      const order: Order = { id: idOf(part), quick, machines: host.machines, cache };
      return await follow({
        argv: host.argv(Deno.execPath(), "run", "-A", ...FLAGS, PART, JSON.stringify(order), ...Deno.args),
        env: { ...ENV, ...host.env },
        limitMs: (quick ? part.limit.quick : part.limit.full) * 1000,
        stop,
        told,
      });
    } finally {
      await inTime(END_MS, "the end of its host", host[Symbol.asyncDispose]());
    }
  } catch (error) {
    return { how: error instanceof Unavailable ? "unavailable" : "failed", reason: messageOf(error) };
  }
}

/** Options of {@link follow}. */
export interface Followed extends Pick<RunOptions, "stop" | "told"> {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly limitMs: number;
}

/** Runs a program that prints {@link Told}, to its end or to the limit, when it is killed with its whole session. */
export async function follow({ argv, env, limitMs, stop, told }: Followed): Promise<Outcome> {
  // A session of its own, which an interrupt from the terminal does not reach
  const child = new Deno.Command("setsid", {
    args: [...argv],
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const cut = Promise.withResolvers<Outcome>();
  const end = (outcome: Outcome) => {
    killSession(child.pid);
    cut.resolve(outcome);
  };
  const seconds = Math.round(limitMs / 1000);
  const timer = setTimeout(() => end({ how: "late", reason: `it was ended after ${seconds} s` }), limitMs);
  const stopped = () => end({ how: "stopped" });
  stop.addEventListener("abort", stopped);
  if (stop.aborted) stopped();
  try {
    // What holds the output open beyond the end of the session ends with the host
    return await Promise.race([cut.promise, toItsEnd(child, told)]);
  } finally {
    clearTimeout(timer);
    stop.removeEventListener("abort", stopped);
  }
}

async function toItsEnd(child: Deno.ChildProcess, told: (row: Row) => void): Promise<Outcome> {
  let outcome: Outcome | undefined;
  for await (const line of jsonLines(child.stdout)) {
    const said = line as Told;
    if ("row" in said) told(said.row);
    else outcome = said.ended === "complete" ? { how: "complete" } : { how: said.ended, reason: said.reason };
  }
  const { code, signal } = await child.status;
  return outcome ?? { how: "failed", reason: `its process ended with ${signal ?? `exit status ${code}`}` };
}

/** Kills a process and all of its group, whose leader it is. */
function killSession(pid: number): void {
  try {
    Deno.kill(-pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // it has just ended
  }
}

/** Waits for work. @throws {Error} when it takes longer; the work goes on */
async function inTime<T>(ms: number, what: string, work: PromiseLike<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms / 1000} s in vain for ${what}`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
