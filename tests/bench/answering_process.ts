/** A program that is told a line at a time and answers each with a line of JSON: the peers of the bench. */

/** Milliseconds after which an answer will not come: without keep-alive a stopped libvirtd blocks a call for ever. */
const LIMIT_MS = 60_000;

/** The process, and the lines of JSON it writes. */
export class AnsweringProcess implements AsyncDisposable {
  readonly child: Deno.ChildProcess;
  readonly #program: string;
  readonly #lines: AsyncGenerator<unknown, void, undefined>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;

  constructor(command: readonly [string, ...string[]]) {
    this.#program = command[0];
    this.child = new Deno.Command(command[0], {
      args: command.slice(1),
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
    if (done) throw new Error(`${this.#program} ended, or did not answer`);
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

/** The lines of a stream, each of them JSON. */
export async function* jsonLines(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<unknown, void, undefined> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const bytes of stream) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line);
  }
}
