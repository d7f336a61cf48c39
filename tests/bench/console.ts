/** Measures the cost of our WebSocket proxy: the same flood of bytes directly, through us, through websockify. */
import { type Bench, roundsOf } from "./bench.ts";
import { answers, frame, freePort, JOIN, openWebSocket, startEnd, startWebsockify } from "./console_doors.ts";
import { inTurn, timed } from "./measure.ts";
import { comparison } from "./row.ts";

const MEGABYTE = 1024 * 1024;

/** Reads until so many bytes have come. */
async function drain(connection: Deno.Conn, bytes: number): Promise<void> {
  const buffer = new Uint8Array(256 * 1024);
  for (let read = 0; read < bytes;) {
    const count = await connection.read(buffer);
    if (count === null) throw new Error(`the flood ended after ${read} bytes`);
    read += count;
  }
}

/** Without a WebSocket. */
async function plain(port: number, bytes: number): Promise<void> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(JOIN);
  await drain(connection, bytes);
}

/** The same over a WebSocket, whose frames are counted, not taken apart: the reader must cost everyone the same. */
async function throughWebSocket(port: number, bytes: number): Promise<void> {
  using connection = await openWebSocket(port);
  await connection.write(frame(JOIN));
  await drain(connection, bytes);
}

export const consoles: Bench = async function* (context) {
  const bytes = (context.quick ? 64 : 256) * MEGABYTE;
  await using floodEnd = startEnd("flood", String(bytes));
  const flood = await floodEnd.port();
  await using proxyEnd = startEnd("proxy", String(flood));
  const ours = await proxyEnd.port();
  await using relayEnd = startEnd("relay", String(flood));
  const bare = await relayEnd.port();
  const theirs = freePort();
  await using _websockify = startWebsockify(theirs, flood);
  await answers(theirs);
  const figures = await inTurn(roundsOf(context, 9), {
    ours: () => timed(() => throughWebSocket(ours, bytes)),
    direct: () => timed(() => plain(flood, bytes)),
    relay: () => timed(() => plain(bare, bytes)),
    websockify: () => timed(() => throughWebSocket(theirs, bytes)),
  });
  const what = `${bytes / MEGABYTE} MB of screen through the console's proxy`;
  yield* [
    comparison({
      what,
      ours: figures.ours,
      theirs: figures.direct,
      peer: "the VNC server directly",
      aim: { ratio: 1.25 },
    }),
    // A relay copies every byte twice more than the server and its reader do, and has no core of its own on a host of
    // two: this is what is left to reach there.
    comparison({
      what,
      ours: figures.ours,
      theirs: figures.relay,
      peer: "a bare TCP relay",
      aim: { ratio: 1.1 },
    }),
    comparison({
      what,
      ours: figures.ours,
      theirs: figures.websockify,
      peer: "websockify",
      aim: { ratio: 1 },
    }),
  ];
};
