/** A guest at the other end of a line, for tests. */
import { LineCutter } from "../../../lib/guest/lines.ts";
import vectors from "../../../guest/vectors.json" with { type: "json" };

type Bytes = Uint8Array<ArrayBuffer>;
/** A request of the host. */
export interface Request {
  readonly id?: number;
  readonly method: string;
  readonly params: Record<string, unknown>;
}

/** An honest answer to each method. */
export const RESULTS = new Map<string, unknown>(
  vectors.results.map(({ method, result }) => [method, result]),
);

/** A guest's end: what it answers to each request; undefined: nothing. */
export class FakeGuest {
  readonly #toHost = new TransformStream<Bytes, Bytes>(undefined, undefined, { highWaterMark: 64 });
  readonly #fromHost = new TransformStream<Bytes, Bytes>(undefined, { highWaterMark: 64 });
  readonly #writer = this.#toHost.writable.getWriter();
  readonly asked: Request[] = [];
  readonly streams = { readable: this.#toHost.readable, writable: this.#fromHost.writable };

  constructor(readonly answer: (request: Request, guest: FakeGuest) => unknown) {
    void this.#serve().catch(() => {}); // the host left
  }

  /** Sends something, whatever it is. */
  send(text: string | Bytes): void {
    this.#writer.write(typeof text === "string" ? new TextEncoder().encode(text) : text).catch(() => {});
  }

  /** Closes the line. */
  leave(): void {
    this.#writer.close().catch(() => {});
  }

  async #serve(): Promise<void> {
    const cutter = new LineCutter();
    for await (const bytes of this.#fromHost.readable) {
      for (const line of cutter.push(bytes)) {
        if (!line?.length) continue;
        const request = JSON.parse(new TextDecoder().decode(line)) as Request;
        this.asked.push(request);
        const result = this.answer(request, this);
        if (result !== undefined && request.id !== undefined) this.reply(request, { result });
      }
    }
  }

  /** Answers a request. */
  reply({ id }: Request, outcome: { result: unknown } | { error: unknown }): void {
    this.send(`${JSON.stringify({ jsonrpc: "2.0", id, ...outcome })}\n`);
  }
}

/** Answers as the vectors have it, but for one method. */
export const honestBut =
  (method: string, answer: FakeGuest["answer"]): FakeGuest["answer"] => (request, guest) =>
    request.method === method ? answer(request, guest) : RESULTS.get(request.method);
