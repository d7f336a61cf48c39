/**
 * Downloads over HTTPS from a server whose certificate a person has compared, a connection for each. (Tried on Deno 2.9: node's
 * client is not told that a line broke in the middle of an answer, and waits without end.)
 */
import type { TLSSocket } from "node:tls";
import { propagateBackpressure } from "./tls_backpressure.ts";
import { believedSocket, type TlsPlace } from "./pinned_tls.ts";

/** Bytes of an answer's head, and of a line in it. */
const MOST_HEAD = 64 * 1024;

/** Pieces that wait for who reads them. */
const MOST_WAITING = 8;

/** The other side does not speak HTTP as it should, or hung up. */
export class BadAnswer extends Error {
  override readonly name = "BadAnswer";
}

/** A request to a server with a compared certificate. */
export interface PinnedRequest {
  readonly method: "GET" | "HEAD";
  /** From the server's root, with what follows a question mark; encoded. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** An answer, whose content is read once. */
export interface PinnedAnswer extends Disposable {
  readonly status: number;
  readonly headers: Headers;
  /** @throws {BadAnswer} where it breaks off @throws the signal's reason */
  content(): AsyncGenerator<Uint8Array>;
}

/** Reads a socket piece by piece or line by line. */
class Incoming {
  #rest: Uint8Array = new Uint8Array();
  #head = 0;
  readonly #waiting: Uint8Array[] = [];
  #isOver = false;
  #wake = () => {};

  // By its events: its iterator is not told of an end that comes without TLS's own
  constructor(private readonly socket: TLSSocket) {
    // An end that comes while the socket below reads on alone would never be told
    propagateBackpressure(socket);
    socket.on("data", (piece: Uint8Array) => {
      this.#waiting.push(piece);
      if (this.#waiting.length >= MOST_WAITING) socket.pause();
      this.#wake();
    });
    for (const event of ["end", "close", "error"]) {
      socket.on(event, () => {
        this.#isOver = true;
        this.#wake();
      });
    }
  }

  async #next(): Promise<Uint8Array | undefined> {
    while (this.#waiting.length === 0) {
      if (this.#isOver) return undefined;
      this.socket.resume();
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return this.#waiting.shift();
  }

  /** The next bytes; undefined at the end. */
  async some(most: number): Promise<Uint8Array | undefined> {
    if (this.#rest.length === 0) {
      const piece = await this.#next();
      if (piece === undefined) return undefined;
      this.#rest = piece;
    }
    const some = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(some.length);
    return some;
  }

  /** The next line, without its end. @throws {BadAnswer} */
  async line(): Promise<string> {
    const bytes: number[] = [];
    for (;;) {
      const [byte] = await this.some(1) ?? [];
      if (byte === undefined) throw new BadAnswer("the connection broke off");
      if (++this.#head > MOST_HEAD) throw new BadAnswer("the head of its answer is too long");
      if (byte === 0x0a) break;
      bytes.push(byte);
    }
    return new TextDecoder("windows-1252").decode(new Uint8Array(bytes)).replace(/\r$/, "");
  }

  /** So many bytes. */
  async *exactly(length: number): AsyncGenerator<Uint8Array> {
    for (let left = length; left > 0;) {
      const piece = await this.some(left);
      if (piece === undefined) throw new BadAnswer("the connection broke off");
      left -= piece.length;
      yield piece;
    }
  }

  /** Content of a chunked body. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      this.#head = 0;
      const [, hex] = /^([0-9A-Fa-f]{1,8})\s*(;.*)?$/.exec(await this.line()) ?? [];
      if (hex === undefined) throw new BadAnswer("its chunks are not understood");
      const size = Number.parseInt(hex, 16);
      if (size === 0) return;
      yield* this.exactly(size);
      await this.line();
    }
  }

  /** Until it hangs up. */
  async *all(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const piece = await this.some(Infinity);
      if (piece === undefined) return;
      yield piece;
    }
  }
}

/** A header's text, which cannot end its line. */
function plain(text: string): string {
  // deno-lint-ignore no-control-regex -- they are what is refused
  if (/[\u0000-\u001f\u007f-\uffff]/.test(text)) throw new TypeError("a header holds what it cannot");
  return text;
}

/**
 * Asks for something.
 *
 * @throws {BadAnswer} @throws {OtherCertificate} @throws what the system or TLS says; the signal's reason
 */
export async function pinnedGet(
  place: TlsPlace,
  fingerprint: string,
  { method, path, headers, signal }: PinnedRequest,
): Promise<PinnedAnswer> {
  signal.throwIfAborted();
  const socket = await believedSocket(place, fingerprint);
  const stop = () => void socket.destroy();
  const end = () => {
    signal.removeEventListener("abort", stop);
    stop();
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    signal.throwIfAborted();
    const lines = [
      `${method} ${plain(path)} HTTP/1.1`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${plain(value)}`),
    ];
    socket.write(`${lines.join("\r\n")}\r\nconnection: close\r\n\r\n`);
    const incoming = new Incoming(socket), { status, headers: told } = await headOf(incoming);
    return {
      status,
      headers: told,
      content: async function* () {
        try {
          yield* contentOf(incoming, told);
        } catch (error) {
          signal.throwIfAborted();
          throw error;
        }
      },
      [Symbol.dispose]: end,
    };
  } catch (error) {
    end();
    signal.throwIfAborted();
    throw error;
  }
}

/** @throws {BadAnswer} */
async function headOf(incoming: Incoming): Promise<{ readonly status: number; readonly headers: Headers }> {
  const [, status] = /^HTTP\/1\.[01] ([2-5]\d\d)(?: |$)/.exec(await incoming.line()) ?? [];
  if (status === undefined) throw new BadAnswer("it does not answer in HTTP");
  const headers = new Headers();
  for (let line = await incoming.line(); line !== ""; line = await incoming.line()) {
    const [, name, value = ""] = /^([A-Za-z0-9!#$%&'*+.^_`|~-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined) throw new BadAnswer("a header of its answer is not understood");
    headers.append(name, value.replace(/[^\x20-\x7e]/g, "?"));
  }
  return { status: Number(status), headers };
}

function contentOf(incoming: Incoming, headers: Headers): AsyncGenerator<Uint8Array> {
  if (/\bchunked\b/i.test(headers.get("transfer-encoding") ?? "")) return incoming.chunks();
  const length = headers.get("content-length");
  if (length === null) return incoming.all();
  if (!/^\d{1,15}$/.test(length)) throw new BadAnswer("it does not say how long its answer is");
  return incoming.exactly(Number(length));
}
