/** The product's command line as a child process, with nothing of this process's environment but what it needs. */
import { BINARY_ENV, buildBinary } from "./product_binary.ts";
import { spend } from "./times.ts";

/** Milliseconds after which a verb that goes on by itself is ended: whoever reads it waited for something in vain. */
const LONGEST_MS = 90_000;

/** Result of a verb. */
export interface Said {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** A way to run verbs. */
export class CommandLine {
  constructor(private readonly env: Record<string, string>) {}

  async #child(args: readonly string[]): Promise<Deno.ChildProcess> {
    return new Deno.Command(await buildBinary(), {
      args: [...args],
      clearEnv: true,
      env: { PATH: Deno.env.get("PATH") ?? "", TZ: "UTC", ...BINARY_ENV, ...this.env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  /** Runs a verb to its end. @param stdin what it is given to read */
  async run(args: readonly string[], stdin = ""): Promise<Said> {
    const child = await this.#child(args);
    return await spend("command line", () => toItsEnd(child, stdin));
  }

  /** Runs a verb that goes on by itself, and gives its lines as they come. It is ended with the reading, or by its limit. */
  async *lines(args: readonly string[]): AsyncGenerator<string, void, undefined> {
    const child = await this.#child(args);
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

async function toItsEnd(child: Deno.ChildProcess, stdin: string): Promise<Said> {
  const output = child.output();
  const writer = child.stdin.getWriter();
  // A verb that reads nothing may have ended already.
  await writer.write(new TextEncoder().encode(stdin)).then(() => writer.close(), () => {});
  const { code, stdout, stderr } = await output;
  const decoder = new TextDecoder();
  return { status: code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}
