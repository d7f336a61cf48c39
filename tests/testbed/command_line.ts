/** The product's command line as a child process, with nothing of this process's environment but what it needs. */
const MAIN = new URL("../../main.ts", import.meta.url).pathname;

/** Milliseconds after which a verb that goes on by itself is ended: whoever reads it waited for something in vain. */
const LONGEST_MS = 90_000;

/** What a verb did. */
export interface Said {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** A way to run verbs. */
export class CommandLine {
  /** @param program the packed binary; the source without it */
  constructor(private readonly env: Record<string, string>, private readonly program?: string) {}

  #child(args: readonly string[]): Deno.Command {
    const { env: { HOME = "", ...env } } = this;
    const [program, ...head] = this.program === undefined
      ? [Deno.execPath(), "run", "-A", MAIN]
      : [this.program];
    const deno = Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`;
    return new Deno.Command(program!, {
      args: [...head, ...args],
      clearEnv: true,
      env: {
        PATH: Deno.env.get("PATH") ?? "",
        DENO_DIR: deno,
        TZ: "UTC",
        ...(HOME !== "" && { HOME }),
        ...env,
      },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    });
  }

  /** Runs a verb to its end. @param stdin what it is given to read */
  async run(args: readonly string[], stdin = ""): Promise<Said> {
    const child = this.#child(args).spawn();
    const output = child.output();
    const writer = child.stdin.getWriter();
    // A verb that reads nothing may have ended already.
    await writer.write(new TextEncoder().encode(stdin)).then(() => writer.close(), () => {});
    const { code, stdout, stderr } = await output;
    const decoder = new TextDecoder();
    return { status: code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
  }

  /** Runs a verb that goes on by itself, and gives its lines as they come. It is ended with the reading, or by its limit. */
  async *lines(args: readonly string[]): AsyncGenerator<string, void, undefined> {
    const child = this.#child(args).spawn();
    await child.stdin.close();
    const draining = child.stderr.pipeTo(new WritableStream());
    let hasEnded = false;
    const ended = child.status.then(() => hasEnded = true);
    const limit = setTimeout(() => child.kill("SIGTERM"), LONGEST_MS);
    try {
      let rest = "";
      for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) {
        const lines = (rest + piece).split("\n");
        rest = lines.pop()!;
        yield* lines;
      }
    } finally {
      clearTimeout(limit);
      if (!hasEnded) child.kill("SIGTERM");
      await ended;
      await draining;
    }
  }
}
