import assert from "node:assert/strict";
// @ts-types="@types/ws"
import { WebSocket } from "ws";
import { writeAll } from "../../../lib/write_all.ts";
import { setLogLevel } from "../../log.ts";
import { listenTcp } from "../../http/server.ts";
import { connectVnc } from "./connection.ts";
import { proxyVnc } from "./console.ts";

setLogLevel("error");

const HELLO = new TextEncoder().encode("RFB 003.008\n");
/** Security: None alone; good; a screen of 2 × 1 without a name. */
const LET_IN = new Uint8Array([1, 1, 0, 0, 0, 0, 0, 2, 0, 1, ...new Array(16).fill(0), 0, 0, 0, 0]);

/** A VNC server that lets everyone in, tells what it is sent, and sends what it is told. */
class Server implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly received: number[] = [];
  readonly connections: Deno.Conn[] = [];
  readonly #serving = this.#serve();

  get port(): number {
    return this.#listener.addr.port;
  }

  async #serve(): Promise<void> {
    for await (const connection of this.#listener) {
      this.connections.push(connection);
      await writeAll(connection, HELLO);
      await writeAll(connection, LET_IN);
      void this.#read(connection);
    }
  }

  async #read(connection: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(4096);
    for (;;) {
      const count = await connection.read(buffer).catch(() => null);
      if (count === null) return;
      this.received.push(...buffer.subarray(0, count));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.connections) {
      try {
        connection.close();
      } catch {
        // a test closed it already
      }
    }
    await this.#serving;
  }
}

/** A viewer on a proxy in front of a server, through the handshake. */
async function withViewer(
  viewOnly: boolean,
  run: (end: {
    server: Server;
    socket: WebSocket;
    closed: Promise<[number, string]>;
    got: number[];
  }) => Promise<void>,
) {
  await using server = new Server();
  const listener = await listenTcp(
    "127.0.0.1:0",
    () => Promise.resolve(new Response()),
    {
      admit: () => async (peer) => {
        using connection = await connectVnc({ host: "127.0.0.1", port: server.port });
        return await proxyVnc(connection, peer, viewOnly);
      },
    },
  );
  try {
    const socket = new WebSocket(listener.address.replace("http", "ws"), { origin: listener.address });
    const got: number[] = [];
    socket.on("message", (data) => got.push(...data as Uint8Array));
    const closed = new Promise<[number, string]>((resolve) =>
      socket.on("close", (code, reason) => resolve([code, reason.toString()]))
    );
    await new Promise((resolve) => socket.on("open", resolve));
    socket.send(HELLO);
    socket.send(new Uint8Array([1]));
    socket.send(new Uint8Array([0]));
    await until("the viewer is in", () => got.length >= HELLO.length + LET_IN.length);
    await until("the server knows", () => server.received.length >= HELLO.length + 2);
    assert.deepEqual(server.received, [...HELLO, 1, 1], "the viewer is one of several, whatever it asks for");
    server.received.length = got.length = 0;
    await run({ server, socket, closed, got });
    socket.terminate();
  } finally {
    await listener.close();
  }
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  const end = performance.now() + 5000;
  while (!isSo()) {
    assert.ok(performance.now() < end, `timed out waiting until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const KEY = [4, 1, 0, 0, 0, 0, 0, 65];
const UPDATE = [3, 0, 0, 0, 0, 0, 0, 2, 0, 1];

Deno.test("proxyVnc() passes bytes untouched both ways", async () => {
  await withViewer(false, async ({ server, socket, got }) => {
    const odd = [99, 0, 255, 128];
    socket.send(new Uint8Array(odd));
    socket.send(new Uint8Array(KEY));
    await until("all came", () => server.received.length === odd.length + KEY.length);
    assert.deepEqual(server.received, [...odd, ...KEY]);
    await writeAll(server.connections[0]!, new Uint8Array([7, 0, 255]));
    await until("all came back", () => got.length === 3);
    assert.deepEqual(got, [7, 0, 255]);
  });
});

Deno.test("proxyVnc() keeps the keys of who may only look from the server", async () => {
  await withViewer(true, async ({ server, socket }) => {
    socket.send(new Uint8Array([...KEY, ...UPDATE, ...KEY]));
    socket.send(new Uint8Array(KEY.slice(0, 3)));
    socket.send(new Uint8Array([...KEY.slice(3), ...UPDATE]));
    await until("all came", () => server.received.length >= 2 * UPDATE.length);
    assert.deepEqual(server.received, [...UPDATE, ...UPDATE]);
  });
});

Deno.test("proxyVnc() closes on a viewer that speaks no RFB, and says why", async () => {
  await withViewer(true, async ({ socket, closed }) => {
    socket.send(new Uint8Array([77]));
    assert.deepEqual(await closed, [1002, "the viewer sent a message of unknown type 77"]);
  });
  await withViewer(false, async ({ socket, closed }) => {
    socket.send("text");
    assert.deepEqual(await closed, [1002, "the viewer sent text"]);
  });
});

Deno.test("proxyVnc() tells the viewer when the server goes, and the server when the viewer does", async () => {
  await withViewer(false, async ({ server, closed }) => {
    server.connections[0]!.close();
    assert.deepEqual(await closed, [4002, "The VM closed the connection"]);
  });
  await withViewer(false, async ({ server, socket }) => {
    socket.close();
    const isClosed = () => server.connections[0]!.write(new Uint8Array(65536)).then(() => false, () => true);
    for (let round = 0; !await isClosed(); round++) assert.ok(round < 500, "the server is still connected");
  });
});

Deno.test("connectVnc() does not wait for a server whose port drops what is sent to it", async () => {
  // Once its queue is full, Linux drops what begins a connection
  using full = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
  const { port } = full.addr, waiting: Deno.Conn[] = [];
  try {
    for (let connection; (connection = await began(port)) !== null;) waiting.push(connection);
    await assert.rejects(
      connectVnc({ host: "127.0.0.1", port }, 50),
      /it did not answer for 0\.05 seconds\. Is its port open/,
    );
  } finally {
    for (const connection of waiting) connection.close();
  }
});

/** A connection to a port of this machine; null where it takes none. */
async function began(port: number): Promise<Deno.Conn | null> {
  try {
    return await Deno.connect({ port, signal: AbortSignal.timeout(500) });
  } catch (error) {
    if (error instanceof DOMException) return null;
    throw error;
  }
}

Deno.test("connectVnc() says what is wrong with a server: no listener, silence, no VNC", async () => {
  const dead = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = dead.addr;
  await assert.rejects(connectVnc({ host: "127.0.0.1", port }, 50), /it said nothing for 0\.05 seconds/);
  dead.close();
  // Its port may be another's by now: no program listens on the first one
  await assert.rejects(connectVnc({ host: "127.0.0.1", port: 1 }), /it does not answer \(Connection refused/);
  await assert.rejects(
    connectVnc({ host: "", port: null, socket: "/nonexistent/vnc.sock" }),
    /it does not answer \(No such file/,
  );
});
