/** A shell on another host by SSH, as the user that signs in there, or as root. */
import { requireOutside } from "../../outbound/outside.ts";
import type { SshDestination } from "../../../lib/host/ssh_destination.ts";
import { sshWords } from "../../../lib/host/ssh_destination.ts";
import { quoted } from "../../../lib/text/shell_word.ts";
import {
  kill,
  killAndWait,
  type ProgramEnd,
  type ProgramOptions,
  runProgram,
} from "../../machine/programs.ts";
import { log } from "../../log.ts";
import { BY_PASSWORD, passwordEnv } from "./by_password.ts";
import { inConfig, type SshFiles } from "./files.ts";
import { lastSaid } from "./said.ts";

/** Status of ssh where it failed itself. */
const SSH_FAILED = 255;
const CUT = "the connection was cut";
/** Milliseconds of short calls. */
const SHORT_MS = 30_000;
/** Bytes that a call may say: another host says them. */
export const MOST_SAID = 1024 * 1024;
/** Characters of what a script says besides its stream. */
const MOST_STREAM_SAID = 4096;
/** Milliseconds to end the connection. */
const EXIT_MS = 3000;
/** Environment of scripts: their search path and the language of programs. */
const SURROUNDINGS = "env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C";

/** A script failed; the message has its output. */
export class RemoteFailure extends Error {
  override readonly name: string = "RemoteFailure";
}

/** The host does not accept the user, the key or the password. */
export class RemoteLoginRefused extends RemoteFailure {
  override readonly name = "RemoteLoginRefused";
}

const REFUSED = /permission denied/i;

/** Output of a script, as it comes. */
export interface RemoteStream {
  readonly stdout: ReadableStream<Uint8Array>;
  /** Once it has ended: why it failed; undefined where it did not. */
  readonly fault: Promise<string | undefined>;
  kill(): void;
  /** Ends it, and waits for that. */
  end(): Promise<void>;
}

/** How a script is run. */
export interface ScriptOptions extends Omit<ProgramOptions, "env" | "limitMs"> {
  /** Become `$1`, `$2` … of the script. */
  readonly args?: readonly string[];
  readonly limitMs?: number;
  /** As the user that signs in. */
  readonly asUser?: true;
  /** Statuses other than 0 that are no failure. */
  readonly allowed?: readonly number[];
}

/** How root is become: by words before a command, and a password that the first of them reads. */
interface Root {
  readonly words: string;
  readonly password: string | undefined;
}

const IS_ROOT: Root = { words: "", password: undefined };

async function* after(line: string | undefined, input: ScriptOptions["input"]): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  if (line !== undefined) yield encoder.encode(`${line}\n`);
  if (typeof input === "string") yield encoder.encode(input);
  else if (input !== undefined) yield* input;
}

/** One connection carries all calls: another than that of libvirt, which may have been let in by other means. */
export class RemoteShell {
  #root: Root = IS_ROOT;

  /** @param socket path of a socket of its own, by which its calls share the connection */
  private constructor(
    private readonly files: SshFiles,
    private readonly destination: SshDestination,
    private readonly socket: string,
    private readonly password: string | undefined,
  ) {}

  /** @param password by which the connection is made, instead of KVM Manager's key */
  static async of(files: SshFiles, destination: SshDestination, password?: string): Promise<RemoteShell> {
    await files.ready();
    return new RemoteShell(files, destination, await files.socket(), password);
  }

  /** Makes the connection by the password, where there is one and no connection. @throws {RemoteLoginRefused} {RemoteFailure} */
  async #signIn(signal?: AbortSignal): Promise<void> {
    if (this.password === undefined) return;
    const to = sshWords(this.destination),
      more = { limitMs: SHORT_MS, mostOutput: MOST_SAID, ...(signal && { signal }) };
    if ((await runProgram("ssh", [...this.#words, "-O", "check", ...to], more)).success) return;
    const options = Object.entries(BY_PASSWORD).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
    const { success, stderr } = await runProgram("ssh", [
      "-T",
      ...options,
      ...this.#words,
      ...to,
      "exec true",
    ], {
      ...more,
      env: passwordEnv(this.files, this.password),
    });
    if (success) return;
    const said = lastSaid(stderr, CUT);
    throw REFUSED.test(stderr) ? new RemoteLoginRefused(said) : new RemoteFailure(said);
  }

  /**
   * Runs a script for sh as the user that signs in, and gives what it writes as it comes.
   *
   * @throws {RemoteFailure}
   */
  async stream(script: string, args: readonly string[]): Promise<RemoteStream> {
    await this.#signIn();
    requireOutside();
    const child = new Deno.Command("ssh", {
      args: this.#command(script, args, ""),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const said = lastOf(child.stderr);
    return {
      stdout: child.stdout,
      fault: child.status.then(async ({ success }) => success ? undefined : lastSaid(await said, CUT)),
      kill: () => kill(child),
      end: async () => {
        await child.stdout.cancel().catch((error) => log.debug("a stream was read to its end", { error }));
        if (!await killAndWait(child, "ssh")) child.unref();
        await said;
      },
    };
  }

  #command(script: string, args: readonly string[], root: string): string[] {
    const inner = ["sh", "-c", script, "sh", ...args].map(quoted).join(" ");
    return [
      "-T",
      ...this.#words,
      ...sshWords(this.destination),
      `exec env LC_ALL=C ${root}${SURROUNDINGS} ${inner}`,
    ];
  }

  /** Words of ssh before what is run. */
  get #words(): string[] {
    return ["-F", this.files.config, "-o", `ControlPath=${inConfig(this.socket)}`];
  }

  /** Ends the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await runProgram("ssh", [...this.#words, "-O", "exit", ...sshWords(this.destination)], {
        limitMs: EXIT_MS,
      });
    } catch (error) {
      log.debug("a shared SSH connection ends by itself", { error });
    }
  }

  /**
   * Runs a script for sh, as root by default.
   *
   * @returns its standard output
   * @throws {RemoteFailure} with the end of its output; {ProgramLate} also for too much output; the signal's
   *   reason
   */
  async run(script: string, options: ScriptOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.#run(script, options.asUser ? IS_ROOT : this.#root, options);
    if (code === 0 || options.allowed?.includes(code)) return stdout;
    const said = lastSaid(stderr, code === SSH_FAILED ? CUT : `it ended with status ${code}`);
    throw code === SSH_FAILED && REFUSED.test(stderr)
      ? new RemoteLoginRefused(said)
      : new RemoteFailure(said);
  }

  /**
   * Finds out how root is become there: by being root, or by sudo.
   *
   * @param password of the user, for sudo; it is sent by standard input where sudo asks for one
   * @returns why it cannot be; undefined when it can
   * @throws {RemoteFailure} {ProgramLate}
   */
  async becomeRoot(password: string | undefined, signal: AbortSignal): Promise<string | undefined> {
    if ((await this.run("id -u", { asUser: true, signal })).trim() === "0") return undefined;
    const ways: readonly Root[] = [
      { words: "sudo -k -n ", password: undefined },
      ...password === undefined ? [] : [{ words: "sudo -k -S -p '' ", password }],
    ];
    let said = "";
    for (const way of ways) {
      const { code, stderr } = await this.#run(":", way, { signal });
      if (code === SSH_FAILED) throw new RemoteFailure(lastSaid(stderr, CUT));
      if (code === 0) {
        this.#root = way;
        return undefined;
      }
      said = stderr;
    }
    return sudoRefusal(said, password !== undefined);
  }

  async #run(
    script: string,
    { words, password }: Root,
    { args = [], input, limitMs = SHORT_MS, signal }: ScriptOptions,
  ): Promise<ProgramEnd> {
    await this.#signIn(signal);
    return await runProgram("ssh", this.#command(script, args, words), {
      limitMs,
      mostOutput: MOST_SAID,
      ...(signal && { signal }),
      ...(password !== undefined || input !== undefined) && { input: after(password, input) },
    });
  }
}

/** The last of what a program says, and no more than that is held. */
async function lastOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of stream) {
    text = `${text}${decoder.decode(piece, { stream: true })}`.slice(-MOST_STREAM_SAID);
  }
  return text;
}

/** Why sudo says no, for people. */
function sudoRefusal(said: string, hadPassword: boolean): string {
  if (/sudo['’]?: (?:command not found|No such file)|sudo: not found/i.test(said)) {
    return "the user is not root, and sudo is not installed there";
  }
  if (/not in the sudoers|not allowed|may not run/i.test(said)) {
    return "the user may not become root by sudo there";
  }
  if (!hadPassword) return "the user is not root, and sudo asks for a password: give the user's password";
  if (/incorrect password|try again|no password was provided/i.test(said)) return "sudo refuses the password";
  return lastSaid(said, "sudo failed");
}
