/** What the way through our WebSocket proxy costs: the same flood of bytes directly, through us, through websockify. */
import { fileURLToPath } from "node:url";
import { Unavailable } from "../testbed/unavailable.ts";
import { type Bench, roundsOf } from "./bench.ts";
import { inTurn, timed } from "./measure.ts";
import { beside } from "./row.ts";

const ENDS = fileURLToPath(new URL("console_ends.ts", import.meta.url));
const MEGABYTE = 1024 * 1024;

/** A viewer's part of the handshake, all at once: nothing in it depends on what the server says. */
const JOIN = new Uint8Array([...new TextEncoder().encode("RFB 003.008\n"), 1, 1]);

/** A process that ends with the bench. */
class Process implements AsyncDisposable {
  private constructor(private readonly child: Deno.ChildProcess) {}

  static start(command: string, args: readonly string[]): Process {
    return new Process(
      new Deno.Command(command, { args: [...args], stdout: "piped", stderr: "null" }).spawn(),
    );
  }

  /** The number it says first. */
  async port(): Promise<number> {
    const reader = this.child.stdout.getReader();
    const { value } = await reader.read();
    reader.releaseLock();
    return Number(new TextDecoder().decode(value).trim());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGTERM");
    await this.child.stdout.cancel();
    await this.child.status;
  }
}

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
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const head = [
    "GET / HTTP/1.1",
    `Host: 127.0.0.1:${port}`,
    `Origin: http://127.0.0.1:${port}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol: binary",
  ];
  await connection.write(new TextEncoder().encode(`${head.join("\r\n")}\r\n\r\n`));
  await connection.read(new Uint8Array(4096));
  // A binary frame, masked with zeros (RFC 6455, 5.2)
  await connection.write(new Uint8Array([0x82, 0x80 | JOIN.length, 0, 0, 0, 0, ...JOIN]));
  await drain(connection, bytes);
}

/** A port nobody listens on now. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function answers(port: number): Promise<void> {
  for (let attempt = 0;; attempt++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (error) {
      if (attempt > 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}

function startWebsockify(port: number, target: number): Process {
  try {
    return Process.start("websockify", [`127.0.0.1:${port}`, `127.0.0.1:${target}`]);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Unavailable("websockify is not installed (apt-get install websockify)");
  }
}

export const consoles: Bench = async (context) => {
  const bytes = (context.quick ? 64 : 256) * MEGABYTE;
  const deno = (...args: string[]) => Process.start(Deno.execPath(), ["run", "-A", ENDS, ...args]);
  await using floodEnd = deno("flood", String(bytes));
  const flood = await floodEnd.port();
  await using proxyEnd = deno("proxy", String(flood));
  const ours = await proxyEnd.port();
  await using relayEnd = deno("relay", String(flood));
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
  return [
    beside({
      what,
      ours: figures.ours,
      theirs: figures.direct,
      peer: "the VNC server directly",
      aim: { ratio: 1.25 },
    }),
    // A relay copies every byte twice more than the server and its reader do, and has no core of its own on a host of
    // two: this is what is left to reach there.
    beside({
      what,
      ours: figures.ours,
      theirs: figures.relay,
      peer: "a bare TCP relay",
      aim: { ratio: 1.1 },
    }),
    beside({ what, ours: figures.ours, theirs: figures.websockify, peer: "websockify", aim: { ratio: 1 } }),
  ];
};
