/** A guest agent that lies: it takes the place of the guest's, at the host's end of the channel. */
import { exists } from "./process.ts";
import { until } from "./wait.ts";

/** Answer to a command, or a promise of it; undefined for none, ever. Text is sent as it is. */
export type Lie = (command: string, id: unknown) => unknown | undefined;

/** Answers of an agent without commands of its own: it replies as it must when it is asked for its capabilities. */
export const plainAnswer: Lie = (command) =>
  command === "guest-info"
    ? { return: { version: "7.2.0", supported_commands: [] } }
    : { return: command.startsWith("guest-fsfreeze-") ? 1 : {} };

/**
 * Listens where libvirt looks for a machine's agent. libvirt speaks to whoever listens there, so no guest has to be
 * broken; that the guest's own agent has opened its end is what tells libvirt that there is one.
 */
export class LyingAgent implements AsyncDisposable {
  readonly #listener: Deno.Listener;
  readonly #connections = new Set<Deno.Conn>();
  /** How often each command was asked. */
  readonly asked = new Map<string, number>();
  lie: Lie = () => undefined;

  private constructor(readonly path: string, listener: Deno.Listener) {
    this.#listener = listener;
    void this.#accept();
  }

  /** @param folder one that QEMU's user may enter */
  static async listen(folder: string): Promise<LyingAgent> {
    const path = `${folder}/agent.sock`;
    if (await exists(path)) await Deno.remove(path);
    const agent = new LyingAgent(path, Deno.listen({ transport: "unix", path }));
    await Deno.chmod(path, 0o666);
    return agent;
  }

  /** Waits until a command was asked, from now on. */
  async waitFor(command: string, seconds = 40): Promise<void> {
    const before = this.asked.get(command) ?? 0;
    await until(`${command} to be asked`, () => Promise.resolve((this.asked.get(command) ?? 0) > before), {
      seconds,
    });
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) {
      this.#connections.add(connection);
      void this.#serve(connection).finally(() => this.#connections.delete(connection));
    }
  }

  async #serve(connection: Deno.Conn): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    try {
      const buffer = new Uint8Array(64 * 1024);
      for (let count; (count = await connection.read(buffer)) !== null;) {
        const lines = (rest + decoder.decode(buffer.subarray(0, count), { stream: true })).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) await this.#answer(connection, line);
      }
    } catch (error) {
      // libvirt hangs up on what it does not believe, which is what these tests are about.
      const { BadResource, BrokenPipe, ConnectionReset, Interrupted } = Deno.errors;
      const ends = [BadResource, BrokenPipe, ConnectionReset, Interrupted];
      if (!ends.some((kind) => error instanceof kind)) throw error;
    }
  }

  async #answer(connection: Deno.Conn, line: string): Promise<void> {
    // A sync begins with a byte that is no JSON, to clear what an agent may have half read.
    const text = line.slice(Math.max(0, line.indexOf("{")));
    if (!text.startsWith("{")) return;
    const { execute, arguments: args } = JSON.parse(text) as {
      execute: string;
      arguments?: { id?: unknown };
    };
    this.asked.set(execute, (this.asked.get(execute) ?? 0) + 1);
    const answer = execute.startsWith("guest-sync")
      ? { return: args?.id }
      : await this.lie(execute, args?.id);
    if (answer === undefined) return;
    const bytes = new TextEncoder().encode(
      `${typeof answer === "string" ? answer : JSON.stringify(answer)}\n`,
    );
    for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) {
      try {
        connection.close();
      } catch (error) {
        if (!(error instanceof Deno.errors.BadResource)) throw error; // its reader has closed it
      }
    }
    return Promise.resolve();
  }
}
