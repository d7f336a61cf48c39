/** Our own agent's place, taken by one that lies, at the host's end of the channel. */
import { LineCutter } from "../../lib/guest/lines.ts";
import { exists } from "./process.ts";

/** A request as it came. */
export interface OwnRequest {
  readonly id?: number;
  readonly method: string;
  readonly params: Record<string, unknown>;
}

/** Answer to a request: a result, an `Error` for none at all, bytes or text to be sent as they are. */
export type OwnLie = (request: OwnRequest) => unknown;

/**
 * Listens where libvirt opens the channel. That the guest's own agent has opened its end is what tells libvirt that there is
 * one.
 */
export class LyingOwnAgent implements AsyncDisposable {
  readonly #listener: Deno.Listener;
  readonly #connections = new Set<Deno.Conn>();
  /** How often each method was asked. */
  readonly asked = new Map<string, number>();
  lie: OwnLie = () => new Error("nothing");

  private constructor(readonly path: string, listener: Deno.Listener) {
    this.#listener = listener;
    void this.#accept();
  }

  /** @param folder one that QEMU's user may enter */
  static async listen(folder: string): Promise<LyingOwnAgent> {
    const path = `${folder}/own-agent.sock`;
    if (await exists(path)) await Deno.remove(path);
    const agent = new LyingOwnAgent(path, Deno.listen({ transport: "unix", path }));
    await Deno.chmod(path, 0o666);
    return agent;
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) {
      this.#connections.add(connection);
      void this.#serve(connection).finally(() => this.#connections.delete(connection));
    }
  }

  async #serve(connection: Deno.Conn): Promise<void> {
    const cutter = new LineCutter();
    try {
      const buffer = new Uint8Array(64 * 1024);
      for (let count; (count = await connection.read(buffer)) !== null;) {
        for (const line of cutter.push(buffer.slice(0, count))) {
          const text = new TextDecoder().decode(line ?? undefined);
          // The real agent in the guest may be at the other connection: what it says is no request
          if (text.includes('"method"')) await this.#answer(connection, JSON.parse(text));
        }
      }
    } catch (error) {
      // libvirt hangs up, which is what these tests are about.
      const { BadResource, BrokenPipe, ConnectionReset, Interrupted } = Deno.errors;
      const ends = [BadResource, BrokenPipe, ConnectionReset, Interrupted];
      if (!ends.some((kind) => error instanceof kind)) throw error;
    }
  }

  async #answer(connection: Deno.Conn, request: OwnRequest): Promise<void> {
    this.asked.set(request.method, (this.asked.get(request.method) ?? 0) + 1);
    if (request.id === undefined) return;
    const answer = this.lie(request);
    if (answer instanceof Error) return;
    const bytes = answer instanceof Uint8Array ? answer : new TextEncoder().encode(
      typeof answer === "string"
        ? answer
        : `${JSON.stringify({ jsonrpc: "2.0", id: request.id, result: answer })}\n`,
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
