/** The real product as a child process, reached over HTTP like any client reaches it. */
import { V8_FLAGS } from "../../scripts/pack.ts";
import { ensureLibvirtd, URI } from "./libvirt.ts";
import { filesOf, testName } from "./names.ts";
import { BINARY_ENV, buildBinary } from "./product_binary.ts";
import { removeFiles } from "./removal.ts";
import { forgetTester, signInTester } from "./sign_in.ts";
import { parseEvents, type StreamEvent } from "./sse.ts";
import { spend } from "./times.ts";
import { delay, until } from "./wait.ts";

/** How the product is started. */
export interface ServerOptions {
  /** The executable to start instead of the product as it is built from the sources. */
  readonly binary?: string;
  /** A script to start with Deno, instead of an executable. */
  readonly main?: string;
  /** `0`, the default: any free port. */
  readonly port?: number;
  /** libvirt connection; `qemu:///system` when left out. */
  readonly uri?: string;
  /** `serve --demo`, with the folders that it makes itself. */
  readonly demo?: boolean;
  /** Seconds from one look into each guest to the next; 0, one alone when its agent comes, when left out. */
  readonly guestInterval?: number;
  readonly logLevel?: "debug" | "info" | "warn" | "error";
  /** Kept by the caller, so that a second server can go on with it. Without it: a new one, removed in the end. */
  readonly dataDir?: string;
  readonly args?: readonly string[];
  readonly env?: Record<string, string>;
  /** How long it may take to answer. 30 when left out. */
  readonly seconds?: number;
}

/** The answer of a server that said no. */
export class CallError extends Error {
  override readonly name = "CallError";
  constructor(readonly command: string, readonly status: number, readonly body: unknown) {
    super(`${command}: HTTP ${status} ${JSON.stringify(body)}`);
  }
}

/** Seconds that a call may take: the longest one of a test takes a fourth of that. What hangs is named so, before its file is ended. */
const CALL_SECONDS = 600;
/** How long a server may take to stop after SIGTERM, in milliseconds. */
const GRACE = 5000;

/** A running server. Disposing of it stops it, and fails when it had to be killed. */
export class TestServer implements AsyncDisposable {
  #log = "";
  #ended: Deno.CommandStatus | null = null;
  #url: string | null = null;
  #disposed: ((how: { hasEnded: boolean }) => void) | undefined;

  /** Called by {@link startServer} alone. */
  constructor(
    readonly dataDir: string,
    readonly runtimeDir: string,
    private readonly child: Deno.ChildProcess,
    private readonly cleanup: AsyncDisposableStack,
  ) {
    this.readers = [this.#read(child.stdout), this.#read(child.stderr)];
    this.status = child.status.then((status) => this.#ended = status);
  }

  private readonly readers: Promise<void>[];
  private readonly status: Promise<Deno.CommandStatus>;

  /** `http://127.0.0.1:PORT`. */
  get url(): string {
    if (this.#url === null) throw new Error("the server has not said where it listens");
    return this.#url;
  }

  /** The UNIX socket of the command line. */
  get socket(): string {
    return / is ready .*? socket=(\S+)/.exec(this.#log)?.[1] ?? `${this.runtimeDir}/api.sock`;
  }

  get pid(): number {
    return this.child.pid;
  }

  /** Output to stdout and stderr so far. */
  log(): string {
    return this.#log;
  }

  /** Resident memory in bytes: VmRSS of proc(5). */
  async rss(): Promise<number> {
    const status = await Deno.readTextFile(`/proc/${this.pid}/status`);
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
  }

  /** Calls a command of the contract by its wire name. @throws {CallError} when the server says no */
  async call(command: string, input: unknown = {}): Promise<unknown> {
    const late = AbortSignal.timeout(CALL_SECONDS * 1000);
    let response, text;
    try {
      response = await fetch(`${this.url}/api/v1/commands/${command}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(input),
        signal: late,
      });
      text = await response.text();
    } catch (error) {
      if (!late.aborted) throw error;
      const said = JSON.stringify(input).slice(0, 300);
      throw new Error(`${command} ${said} was not answered within ${CALL_SECONDS} s`, { cause: error });
    }
    const body: unknown = text === "" ? null : JSON.parse(text);
    if (!response.ok) throw new CallError(command, response.status, body);
    return body;
  }

  /**
   * The event stream from now on; leaving the loop closes it.
   *
   * @param lastEventId resumes after this event, as a browser does
   */
  async *events(lastEventId?: string): AsyncGenerator<StreamEvent, void, undefined> {
    const headers = { accept: "text/event-stream", ...(lastEventId ? { "last-event-id": lastEventId } : {}) };
    const response = await fetch(`${this.url}/api/v1/events`, { headers });
    if (!response.ok || response.body === null) {
      throw new CallError("events", response.status, await response.text());
    }
    yield* parseEvents(response.body);
  }

  /** Waits until it answers. */
  async ready(seconds: number): Promise<void> {
    await until("the server to answer", () => this.#answers(), {
      seconds,
      every: 50,
      lastSeen: () => `its log:\n${this.#log}`,
    });
  }

  /** Stops it (SIGTERM, after {@link GRACE} SIGKILL). @throws {Error} when it had to be killed or ended badly */
  async stop(): Promise<void> {
    let killed = false;
    if (this.#ended === null) {
      this.child.kill("SIGTERM");
      const timer = setTimeout(() => {
        killed = true;
        this.child.kill("SIGKILL");
      }, GRACE);
      await this.status;
      clearTimeout(timer);
    }
    await Promise.all(this.readers);
    if (killed) {
      throw new Error(`the server did not stop within ${GRACE} ms of SIGTERM; its log:\n${this.#log}`);
    }
  }

  /** Kills it without warning, as a fault: no failure when it is disposed of later. */
  async kill(): Promise<void> {
    if (this.#ended === null) this.child.kill("SIGKILL");
    await this.status;
  }

  /** Lets disposing tell instead of stopping it, as long as it runs: for one that is used again. */
  onDispose(told: (how: { hasEnded: boolean }) => void): void {
    this.#disposed = told;
  }

  /** Stops it and removes its files. @throws {Error} when it had to be killed or ended badly */
  async end(): Promise<void> {
    if (this.#url !== null) forgetTester(this.#url);
    await this.cleanup.disposeAsync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const hasEnded = this.#ended !== null;
    this.#disposed?.({ hasEnded });
    if (hasEnded || this.#disposed === undefined) await this.end();
  }

  async #answers(): Promise<boolean> {
    // The exit status arrives on its own; give it the chance to before asking a process that is no more.
    await delay(0);
    if (this.#ended !== null) {
      throw new Error(
        `the server ended (status ${this.#ended.code}) before it answered; its log:\n${this.#log}`,
      );
    }
    this.#url ??= /http:\/\/127\.0\.0\.1:\d+/.exec(this.#log)?.[0] ?? null;
    if (this.#url === null) return false;
    try {
      const response = await fetch(`${this.#url}/api/v1/connection`);
      await response.body?.cancel();
      return response.ok || response.status === 401;
    } catch (error) {
      if (error instanceof TypeError) return false; // fetch's word for "connection refused"
      throw error;
    }
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (
      const text of stream.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    ) {
      this.#log += text;
    }
  }
}

/** Starts the product with folders of its own and returns once it answers `GET /api/v1/connection`. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const program = options.main === undefined
    ? [options.binary ?? await buildBinary()]
    : [Deno.execPath(), "run", "-A", V8_FLAGS, options.main];
  return await spend("server", () => start(program, options));
}

async function start([program, ...head]: readonly string[], options: ServerOptions): Promise<TestServer> {
  const uri = options.demo ? "test:///default" : options.uri ?? URI;
  if (uri === URI) await ensureLibvirtd();
  const name = await testName("server");
  const runtimeDir = `${filesOf(name)}/run`;
  const dataDir = options.dataDir ?? `${filesOf(name)}/data`;
  await using undo = new AsyncDisposableStack();
  undo.defer(() => removeFiles(name));
  await Deno.mkdir(runtimeDir, { recursive: true });
  await Deno.mkdir(dataDir, { recursive: true });
  const child = new Deno.Command(program!, {
    args: [
      ...head,
      "serve",
      ...["--listen", `127.0.0.1:${options.port ?? 0}`],
      ...(options.demo ? ["--demo"] : ["--data-dir", dataDir, "--runtime-dir", runtimeDir, "--uri", uri]),
      ...["--log-level", options.logLevel ?? "debug"],
      // Other test files have guests on the same libvirt, whose channels are open to one program at a time
      ...["--guest-interval", String(options.guestInterval ?? 0)],
      // Whether KVM works is not tried by each: it hangs guests on machines of this kind, and takes seconds
      ...(options.args?.includes("--virt-type") || options.demo ? [] : ["--virt-type", "qemu"]),
      ...(options.args ?? []),
    ],
    // A group of that name is there where KVM Manager is installed. What tests delete is gone: bin_test.ts has the bin.
    env: { ...BINARY_ENV, KVMM_SOCKET_GROUP: "none", KVMM_BIN_DAYS: "0", ...options.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const cleanup = new AsyncDisposableStack();
  const server = new TestServer(dataDir, runtimeDir, child, cleanup);
  undo.defer(() => server.stop());
  await server.ready(options.seconds ?? 30);
  if (!options.demo) await signInTester(server.url, server.socket);
  cleanup.use(undo.move());
  return server;
}
