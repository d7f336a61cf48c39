/** Whole pictures of a real QEMU screen: straight from its VNC server, through our proxy, through websockify. */
import { join } from "node:path";
import { type Bench, roundsOf } from "./bench.ts";
import { bootSector } from "./boot_sector.ts";
import {
  answers,
  frame,
  freePort,
  JOIN,
  openWebSocket,
  Process,
  startEnd,
  startWebsockify,
} from "./console_doors.ts";
import { inTurn, timed } from "./measure.ts";
import { comparison } from "./row.ts";

const WIDTH = 1920;
const HEIGHT = 1080;
const PIXEL_BYTES = 4;
/** A connection's first port for VNC: display 0. */
const VNC_BASE = 5900;

/** Reads the bytes of a VNC server, without the frames a WebSocket puts around them. */
class Arrivals {
  readonly #buffer = new Uint8Array(256 * 1024);
  #start = 0;
  #end = 0;
  /** Bytes left of the frame that is being read. */
  #frameLeft: number;

  constructor(private readonly connection: Deno.Conn, private readonly isFramed: boolean) {
    this.#frameLeft = isFramed ? 0 : Infinity;
  }

  /** So many bytes as they come, at most. */
  async #some(most: number): Promise<Uint8Array> {
    if (this.#start === this.#end) {
      const count = await this.connection.read(this.#buffer);
      if (count === null) throw new Error("the screen's connection ended");
      [this.#start, this.#end] = [0, count];
    }
    const begin = this.#start;
    this.#start = Math.min(this.#end, begin + most);
    return this.#buffer.subarray(begin, this.#start);
  }

  async #exactly(count: number): Promise<Uint8Array> {
    const all = new Uint8Array(count);
    for (let at = 0; at < count;) {
      const part = await this.#some(count - at);
      all.set(part, at);
      at += part.length;
    }
    return all;
  }

  /** The head of a server's frame (RFC 6455, 5.2): its length in 7 bits, or in the 2 or 8 bytes behind them. */
  async #frameLength(): Promise<number> {
    const short = (await this.#exactly(2))[1]! & 0x7f;
    if (short < 126) return short;
    const more = await this.#exactly(short === 126 ? 2 : 8);
    return more.reduce((length, byte) => length * 256 + byte, 0);
  }

  /** Reads so many bytes; gives them when they are few enough to be looked at. */
  async take(count: number): Promise<Uint8Array> {
    const kept = new Uint8Array(count <= 256 ? count : 0);
    for (let at = 0; at < count;) {
      while (this.#frameLeft === 0) this.#frameLeft = await this.#frameLength();
      const part = await this.#some(Math.min(count - at, this.#frameLeft));
      if (kept.length > 0) kept.set(part, at);
      at += part.length;
      if (this.isFramed) this.#frameLeft -= part.length;
    }
    return kept;
  }
}

const word = (bytes: Uint8Array, at: number) => bytes[at]! * 256 + bytes[at + 1]!;

/** Asks for the whole picture, again as soon as it has come, so many times (RFC 6143, 7.5.3 and 7.6.1). */
async function pictures(port: number, isFramed: boolean, count: number): Promise<void> {
  using connection = isFramed
    ? await openWebSocket(port)
    : await Deno.connect({ hostname: "127.0.0.1", port });
  const arrivals = new Arrivals(connection, isFramed);
  const say = (...bytes: number[]) => {
    const message = new Uint8Array(bytes);
    return connection.write(isFramed ? frame(message) : message);
  };
  await say(...JOIN);
  await arrivals.take(12);
  const [kinds] = await arrivals.take(1);
  await arrivals.take(kinds! + 4);
  const screen = await arrivals.take(24);
  await arrivals.take(word(screen, 22));
  const [width, height] = [word(screen, 0), word(screen, 2)];
  if (width !== WIDTH || height !== HEIGHT) throw new Error(`the screen is ${width} × ${height}`);
  await say(2, 0, 0, 1, 0, 0, 0, 0); // raw pictures only
  for (let picture = 0; picture < count; picture++) {
    await say(3, 0, 0, 0, 0, 0, ...screen.subarray(0, 4));
    const rectangles = word(await arrivals.take(4), 2);
    for (let each = 0; each < rectangles; each++) {
      const head = await arrivals.take(12);
      await arrivals.take(word(head, 4) * word(head, 6) * PIXEL_BYTES);
    }
  }
}

/** A QEMU that shows moving pixels, and its VNC port. */
function startScreen(folder: string, port: number): Process {
  const disk = join(folder, "disk.img");
  Deno.writeFileSync(disk, bootSector(WIDTH, HEIGHT));
  Deno.truncateSync(disk, 1024 * 1024);
  return Process.start("qemu-system-x86_64", [
    ...["-nodefaults", "-display", "none", "-accel", "tcg", "-m", "64"],
    ...["-device", "VGA,vgamem_mb=16", "-drive", `file=${disk},format=raw,if=ide`],
    ...["-vnc", `127.0.0.1:${port - VNC_BASE}`],
  ]);
}

/** A port that no program listens on now, of those a VNC server can have. */
function freeVncPort(): number {
  for (;;) {
    const port = freePort();
    if (port > VNC_BASE) return port;
  }
}

export const frames: Bench = async function* (context) {
  const count = context.quick ? 15 : 90;
  const folder = await Deno.makeTempDir({ prefix: "kvmm-bench-" });
  try {
    const screen = freeVncPort();
    await using _qemu = startScreen(folder, screen);
    await answers(screen);
    await using proxy = startEnd("proxy", String(screen));
    const ours = await proxy.port();
    const theirs = freePort();
    await using _websockify = startWebsockify(theirs, screen);
    await answers(theirs);
    await new Promise((resolve) => setTimeout(resolve, 3000)); // the firmware has handed over by then
    const figures = await inTurn(roundsOf(context, 9), {
      ours: () => timed(() => pictures(ours, true, count)),
      direct: () => timed(() => pictures(screen, false, count)),
      websockify: () => timed(() => pictures(theirs, true, count)),
    });
    const what = `${count} whole pictures (${WIDTH} × ${HEIGHT}) of a QEMU screen`;
    yield* [
      comparison({
        what,
        ours: figures.ours,
        theirs: figures.direct,
        peer: "the VNC server directly",
        aim: { ratio: 1.25 },
      }),
      // Who is ahead shows where the server is faster than any proxy: console.ts
      comparison({ what, ours: figures.ours, theirs: figures.websockify, peer: "websockify" }),
    ];
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
};
