/** A viewer as small as it can be: RFB 3.8 over a console's WebSocket. */
import assert from "node:assert/strict";
// @ts-types="@types/ws"
import { WebSocket } from "ws";
import type { ConsoleTicket } from "../../lib/contract/mod.ts";
import { ByteSource } from "../../lib/formats/rfb/source.ts";
import type { TestServer } from "./server.ts";
import { testerHeaders } from "./sign_in.ts";

/** How a console ended. */
export interface Ending {
  readonly code: number;
  readonly reason: string;
}

/** X keysyms: RFC 6143, 7.5.4. */
export const KEY = { control: 0xffe3, alt: 0xffe9, delete: 0xffff } as const;

/** Opens a console's WebSocket with a ticket. @throws {Error} naming the HTTP status when it is refused */
export async function openSocket(
  server: TestServer,
  { ticket, path }: Pick<ConsoleTicket, "ticket" | "path">,
  headers: Record<string, string> = { origin: server.url, ...testerHeaders(server.url) },
): Promise<WebSocket> {
  const address = `${server.url.replace("http", "ws")}${path}?ticket=${ticket}`;
  const socket = new WebSocket(address, { headers, perMessageDeflate: false });
  await new Promise<void>((resolve, reject) => {
    socket.on("open", resolve);
    socket.on("error", reject);
  });
  return socket;
}

/** A signed-in viewer. */
export class Viewer implements AsyncDisposable {
  readonly #chunks: Uint8Array[] = [];
  #arrival = Promise.withResolvers<void>();
  #isOver = false;
  readonly #source: ByteSource;
  readonly ended: Promise<Ending>;
  name = "";
  width = 0;
  height = 0;

  private constructor(readonly socket: WebSocket) {
    this.ended = new Promise((resolve) =>
      socket.on("close", (code, reason) => {
        this.#isOver = true;
        this.#arrival.resolve();
        resolve({ code, reason: reason.toString() });
      })
    );
    socket.on("message", (data) => {
      this.#chunks.push(new Uint8Array(data as Uint8Array));
      this.#arrival.resolve();
    });
    this.#source = new ByteSource(async () => {
      while (this.#chunks.length === 0 && !this.#isOver) {
        this.#arrival = Promise.withResolvers();
        await this.#arrival.promise;
      }
      return this.#chunks.shift() ?? null;
    });
  }

  /** Goes through the handshake. @throws {RfbError} when the console closes meanwhile */
  static async join(socket: WebSocket): Promise<Viewer> {
    const viewer = new Viewer(socket);
    const source = viewer.#source;
    assert.equal(new TextDecoder().decode(await source.exactly(12)), "RFB 003.008\n");
    socket.send(new TextEncoder().encode("RFB 003.008\n"));
    assert.deepEqual([...await source.exactly(2)], [1, 1], "the console offers None alone");
    socket.send(new Uint8Array([1]));
    assert.equal(await source.u32(), 0);
    socket.send(new Uint8Array([1]));
    const head = await source.exactly(24);
    const view = new DataView(head.buffer, head.byteOffset);
    viewer.width = view.getUint16(0);
    viewer.height = view.getUint16(2);
    viewer.name = new TextDecoder().decode(await source.exactly(view.getUint32(20)));
    // SetPixelFormat: 32 bits, true colour, blue first; SetEncodings: raw
    const format = [32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0];
    socket.send(new Uint8Array([0, 0, 0, 0, ...format]));
    socket.send(new Uint8Array([2, 0, 0, 1, 0, 0, 0, 0]));
    return viewer;
  }

  /** The screen as the server next tells it whole: four bytes a pixel. What it has shrunk by stays black. */
  async frame(): Promise<Uint8Array> {
    const pixels = new Uint8Array(this.width * this.height * 4);
    this.ask();
    const [type, , high = 0, low = 0] = await this.#source.exactly(4);
    assert.equal(type, 0, "only updates of the screen are expected");
    for (let left = high * 256 + low; left > 0; left--) {
      const head = await this.#source.exactly(12);
      const view = new DataView(head.buffer, head.byteOffset);
      const [x, y, w, h] = [0, 2, 4, 6].map((at) => view.getUint16(at)) as [number, number, number, number];
      const data = await this.#source.exactly(w * h * 4);
      for (let row = 0; row < h; row++) {
        pixels.set(data.subarray(row * w * 4, (row + 1) * w * 4), ((y + row) * this.width + x) * 4);
      }
    }
    return pixels;
  }

  /** Asks for the whole screen. */
  ask(): void {
    const [w, h] = [this.width, this.height];
    this.socket.send(new Uint8Array([3, 0, 0, 0, 0, 0, w >> 8, w & 255, h >> 8, h & 255]));
  }

  /** Presses keys together, and lets them go. */
  press(...keys: number[]): void {
    const send = (key: number, down: boolean) =>
      this.socket.send(new Uint8Array([4, down ? 1 : 0, 0, 0, ...u32(key)]));
    for (const key of keys) send(key, true);
    for (const key of keys.toReversed()) send(key, false);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.close();
    await this.ended;
  }
}

const u32 = (value: number) => [value >>> 24, value >>> 16 & 255, value >>> 8 & 255, value & 255];

/** Bytes of a frame that are not black. */
export function lit(frame: Uint8Array): number {
  let count = 0;
  for (let at = 0; at < frame.length; at += 4) if (frame[at]! + frame[at + 1]! + frame[at + 2]! > 96) count++;
  return count;
}
