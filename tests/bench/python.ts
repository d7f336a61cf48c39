/** python3-libvirt, the peer: what most tools on libvirt are written with. */
import { ensurePackages } from "../testbed/packages.ts";
import { run } from "../testbed/process.ts";
import { URI } from "../testbed/virsh.ts";

/** Debian's own Python: another one in PATH does not have the package. */
const PYTHON = "/usr/bin/python3";
const SCRIPT = new URL("./peer.py", import.meta.url).pathname;

/** Milliseconds after which an answer will not come: without keep-alive a stopped libvirtd blocks a call for ever. */
const LIMIT_MS = 60_000;

/** What it says of one command. Milliseconds. */
export interface PythonAnswer {
  readonly ms: number;
  /** CPU time, user and system. */
  readonly cpu: number;
  readonly result: number;
  /** When it began, since 1970. */
  readonly at: number;
}

/** An event it received. Milliseconds since 1970. */
export interface PythonEvent {
  readonly at: number;
  readonly name: string;
  readonly event: number;
}

/** A Python process, and the lines of JSON it writes. */
class PythonProcess implements AsyncDisposable {
  readonly child: Deno.ChildProcess;
  readonly #lines: AsyncGenerator<unknown, void, undefined>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;

  constructor(mode: "answer" | "listen") {
    this.child = new Deno.Command(PYTHON, {
      args: [SCRIPT, URI, mode],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#lines = jsonLines(this.child.stdout);
    this.#input = this.child.stdin.getWriter();
  }

  get pid(): number {
    return this.child.pid;
  }

  async write(line: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
  }

  /** The next line. @throws {Error} when it has ended, or does not come */
  async read(): Promise<unknown> {
    const limit = setTimeout(() => this.#kill(), LIMIT_MS);
    const { value, done } = await this.#lines.next();
    clearTimeout(limit);
    if (done) throw new Error("python3-libvirt ended, or did not answer");
    return value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {}); // it may have ended already
    this.#kill();
    await this.#lines.return();
    await this.child.status;
  }

  #kill(): void {
    try {
      this.child.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // Deno's word for "has ended already"
    }
  }
}

/** A program on python3-libvirt that stays connected: its own start does not count against it. */
export class Python extends PythonProcess {
  static async start(): Promise<Python> {
    await ensurePackages("python3-libvirt");
    return new Python("answer");
  }

  /** @param command as in peer.py */
  async ask(command: string): Promise<PythonAnswer> {
    await this.write(command);
    return await this.read() as PythonAnswer;
  }
}

/** A program on python3-libvirt that receives events. */
export class PythonListener extends PythonProcess {
  static async start(): Promise<PythonListener> {
    const listener = new PythonListener("listen");
    await listener.read(); // "ready"
    return listener;
  }

  async event(): Promise<PythonEvent> {
    return await this.read() as PythonEvent;
  }
}

/** A program on python3-libvirt that is started, scans, and ends; gives its answer. */
export async function pythonOnce(): Promise<{ readonly cpu: number; readonly result: number }> {
  return JSON.parse(await run([PYTHON, SCRIPT, URI, "once"]));
}

async function* jsonLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<unknown, void, undefined> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const bytes of stream) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line);
  }
}
