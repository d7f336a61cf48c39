/**
 * A virsh that stays and takes one command after another: one process for each takes many times as long. It is begun
 * before the first test, since what is begun inside a test counts as a leak, and ends when its standard input does.
 */

/** Output of virsh. */
export interface VirshAnswer {
  readonly stdout: string;
  /** Empty unless the command failed: virsh writes of every failure. */
  readonly stderr: string;
}

/** Anything else, such as a line break or a tab, readline takes for a key. */
const PLAIN = /^[\x20-\x7e]*$/;
/** Messages on the connection, not on the command. */
const CONNECTION = /^error: (?:Disconnected from .*|Reconnected to the hypervisor)\n/gm;

/** A stream that is read only while something is waited for: between two tests nothing may be under way. */
class Output {
  #text = "";
  readonly #decoder = new TextDecoder();
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  /** Everything up to a mark, which is taken away. @throws {Error} when the stream ends before */
  async until(mark: string): Promise<string> {
    for (;;) {
      const at = this.#text.indexOf(mark);
      if (at >= 0) {
        const found = this.#text.slice(0, at);
        this.#text = this.#text.slice(at + mark.length);
        return found;
      }
      const { done, value } = await this.#reader.read();
      if (done) throw new Error(`virsh has ended: ${this.#text}`);
      this.#text += this.#decoder.decode(value, { stream: true });
    }
  }
}

/** One virsh. */
export class VirshShell {
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #stdout: Output;
  readonly #stderr: Output;
  #isFree = true;
  #count = 0;

  private constructor(private readonly child: Deno.ChildProcess) {
    child.unref(); // what has nothing else to do may end
    this.#input = child.stdin.getWriter();
    this.#stdout = new Output(child.stdout);
    this.#stderr = new Output(child.stderr);
  }

  /** Begins one, which connects when it has to; null where there is no virsh. */
  static begin(uri: string): VirshShell | null {
    try {
      return new VirshShell(
        new Deno.Command("virsh", {
          args: ["--quiet", "--keepalive-interval", "0"],
          env: { LC_ALL: "C", TERM: "dumb", VIRSH_DEFAULT_CONNECT_URI: uri },
          stdin: "piped",
          stdout: "piped",
          stderr: "piped",
        }).spawn(),
      );
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  }

  get pid(): number {
    return this.child.pid;
  }

  /** Whether it can take a command now: none is under way, and nothing in this one is a key to readline. */
  canTake(args: readonly string[]): boolean {
    return this.#isFree && args.every((each) => PLAIN.test(each));
  }

  /**
   * Gives it a command, each argument as it is. Once it has ended it takes no other.
   *
   * @returns null when it had ended already: killed with all of its group, which the cleaning up must outlive
   * @throws {Error} when it ends meanwhile: the result of the command is unknown
   */
  async take(args: readonly string[]): Promise<VirshAnswer | null> {
    this.#isFree = false;
    this.child.ref();
    const number = ++this.#count;
    // Readline repeats what it reads, where these are quoted otherwise
    const [begin, end, last] = ["begin", "end", "last"].map((word) => `<${word}-${number}>`);
    const echo = (word: string) => `echo '<'${word}-${number}'>'`;
    // A line that virsh cannot parse it leaves out as a whole: the second tells when to stop waiting
    const lines = [
      `${echo("begin")}; ${args.map(quoted).join(" ")}; ${echo("end")}`,
      `${echo("last")}; ${echo("last")} --err`,
    ];
    try {
      await this.#input.write(new TextEncoder().encode(lines.join("\n") + "\n"));
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) return null;
      throw error;
    }
    const [stdout, stderr] = await Promise.all([
      this.#stdout.until(last!),
      this.#stderr.until(`error: ${last}\n`),
    ]);
    this.child.unref();
    this.#isFree = true;
    const from = stdout.indexOf(begin!), to = stdout.lastIndexOf(end!);
    return {
      stdout: from < 0 ? "" : stdout.slice(from + begin!.length, to),
      stderr: stderr.replaceAll(CONNECTION, ""),
    };
  }
}

/** In single quotes virsh's parser changes nothing. */
const quoted = (argument: string): string => `'${argument.replaceAll("'", `'\\''`)}'`;
