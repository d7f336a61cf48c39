/**
 * A guestfish that is given one command after the other. Its answers are told apart by marks: a command's end is said on both
 * of its streams.
 */
import type { ContractError } from "../../lib/contract/errors.ts";
import { oneLine } from "../../lib/text/text.ts";
import { guestfsProcess } from "./guestfs.ts";
import { killAndWait } from "../machine/programs.ts";
import type { Sentence } from "../../lib/i18n/message.ts";

/** Bytes of an answer that are taken at most. */
export const MOST_ANSWER_BYTES = 4 * 1024 ** 2;
/** Characters of what it says that are told to people. */
const MOST_TOLD = 300;

/** Output of a command. */
export interface GuestfsAnswer {
  readonly out: string;
  /** All that it complained of. */
  readonly errors: string;
  /** Why it failed; undefined where it did not. */
  readonly fault: string | undefined;
}

/** How one is started. */
export interface GuestfsStart {
  /** Working folder: `GuestfsFolders`. */
  readonly folder: string;
  /** KVM runs no guests here. */
  readonly isEmulated: boolean;
  readonly args?: readonly string[];
  /** The error for its end, its time limit, and a command that fails. */
  readonly failed: (reason: Sentence, cause?: unknown) => ContractError;
}

/** Why it ended, of what it complained of. */
function endReason(errors: string): string {
  const fault = /libguestfs: error: (.*)/.exec(errors)?.[1] ?? errors.trim().split("\n")[0]!;
  return oneLine(fault, MOST_TOLD) || "it ended";
}

/** One that runs. Disposing of it ends it at once: what is written must be synced by a command before. */
export class GuestfsSession implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #failed: GuestfsStart["failed"];
  #said = "";
  #faults = "";
  #heard = Promise.withResolvers<void>();
  #isOver = false;
  readonly #over: Promise<void>;

  constructor({ folder, isEmulated, args = [], failed }: GuestfsStart) {
    // Its answers must come line by line: what is no terminal is buffered else.
    this.#child = new Deno.Command("stdbuf", {
      args: ["-oL", "guestfish", ...args],
      ...guestfsProcess(folder, isEmulated),
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#failed = failed;
    this.#over = this.#listen();
  }

  /** Whether it has ended by itself, or is about to by {@link GuestfsSession.end}. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Hears what it says. Resolved once it has ended, and all of that was heard. */
  async #listen(): Promise<void> {
    const gather = async (stream: ReadableStream<Uint8Array>, take: (text: string) => void) => {
      const decoder = new TextDecoder();
      for await (const bytes of stream) {
        take(decoder.decode(bytes, { stream: true }));
        const { resolve } = this.#heard;
        this.#heard = Promise.withResolvers();
        resolve();
      }
    };
    const { stdout, stderr, status } = this.#child;
    const over = [
      gather(stdout, (text) => this.#said = (this.#said + text).slice(-MOST_ANSWER_BYTES)),
      gather(stderr, (text) => this.#faults = (this.#faults + text).slice(-MOST_ANSWER_BYTES)),
      status,
    ];
    await Promise.allSettled(over);
    this.#isOver = true;
    this.#heard.resolve();
  }

  /**
   * Gives a command, and waits for its end. One at a time.
   *
   * @throws {ContractError} the error that `failed` returns, for guestfish's end and the time limit
   */
  async ask(command: string, limitMs: number): Promise<GuestfsAnswer> {
    const mark = crypto.randomUUID();
    this.#said = this.#faults = "";
    // A command that fails is told on the other stream: that is asked to say that it is through, too.
    const lines = `-${command}\necho ${mark}\n-no-such-command-${mark}\n`;
    // Where it has ended, its own words say why.
    await this.#input.write(new TextEncoder().encode(lines)).catch(() => this.#over);
    const end = performance.now() + limitMs;
    while (!(this.#said.includes(mark) && this.#faults.includes(mark))) {
      if (this.#isOver) throw this.#failed(endReason(this.#faults));
      const left = end - performance.now();
      if (left <= 0) {
        this.end();
        throw this.#failed(`it did not answer in ${Math.round(limitMs / 1000)} seconds`);
      }
      await this.#hears(left);
    }
    const errors = this.#faults.split(`no-such-command-${mark}`)[0]!;
    const fault = /libguestfs: error: (?:\w+: )?(.*)/.exec(errors)?.[1];
    return { out: this.#said.slice(0, this.#said.indexOf(mark)), errors, fault };
  }

  /** As {@link GuestfsSession.ask}. @returns its output @throws {ContractError} also if the command fails */
  async run(command: string, limitMs: number): Promise<string> {
    const { out, fault } = await this.ask(command, limitMs);
    if (fault !== undefined) throw this.#failed(oneLine(fault, MOST_TOLD));
    return out;
  }

  /** Waits until it says something, or for so many milliseconds. */
  async #hears(ms: number): Promise<void> {
    if (ms === Infinity) return await this.#heard.promise; // a timer takes no such time
    const timer = Promise.withResolvers<void>();
    const id = setTimeout(timer.resolve, ms);
    await Promise.race([this.#heard.promise, timer.promise]);
    clearTimeout(id);
  }

  /** Ends it at once. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended by itself
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.end();
    await killAndWait(this.#child, "guestfish") && await this.#over;
  }
}
