import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
// @ts-types="@types/ws"
import { WebSocket } from "ws";
import { ContractError } from "../../lib/contract/errors.ts";
import { setLogLevel } from "../log.ts";
import { listenSocket, listenTcp } from "./server.ts";
import { upgradeRequest } from "./testing.ts";
import type { WebSocketConnection, WebSocketLimits } from "./websocket_connection.ts";
import { type Admit, type PeerSession, WebSockets } from "./websocket.ts";

setLogLevel("error"); // refusals are logged, and are many here

const BYE = { code: 1000, reason: "bye" };
/** Sends back what it gets. */
const echo: PeerSession = async (peer) => {
  for await (const message of peer.messages()) await peer.send(message);
  return BYE;
};

async function withTcp(admit: Admit, run: (url: string, close: () => Promise<void>) => Promise<void>) {
  const listener = await listenTcp("127.0.0.1:0", () => Promise.resolve(new Response("page")), { admit });
  try {
    await run(listener.address, () => listener.close());
  } finally {
    await listener.close();
  }
}

/** WebSockets with limits of their own, without a guard. */
async function withLimits(
  limits: Partial<WebSocketLimits>,
  admit: Admit,
  run: (url: string, sockets: WebSockets) => Promise<void>,
) {
  const sockets = new WebSockets("api", () => {}, admit, limits);
  const server = createServer();
  server.on("upgrade", (request, socket, head) => sockets.upgrade(request, socket, head, () => ""));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await run(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets);
  } finally {
    await sockets.close();
    await new Promise((resolve) => server.close(resolve));
  }
}

interface Client {
  readonly socket: WebSocket;
  readonly closed: Promise<{ code: number; reason: string }>;
  next(): Promise<Buffer>;
}

/** Opens a WebSocket like a page does. @throws the HTTP status when it is refused */
async function open(url: string, headers: Record<string, string> = { origin: url }): Promise<Client> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/console?x=1`, { headers });
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() }))
  );
  await new Promise<void>((resolve, reject) => {
    socket.on("open", resolve);
    socket.on("error", reject);
  });
  return {
    socket,
    closed,
    next: () => new Promise((resolve) => socket.once("message", (data) => resolve(data as Buffer))),
  };
}

/** A WebSocket that reads nothing but what it must. */
async function deaf(url: string): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) });
  await connection.write(new TextEncoder().encode(upgradeRequest(url)));
  await connection.read(new Uint8Array(4096));
  return connection;
}

async function until(what: string, isSo: () => boolean, ms = 5000): Promise<void> {
  const end = performance.now() + ms;
  while (!isSo()) {
    assert.ok(performance.now() < end, `timed out waiting until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

Deno.test("WebSockets carry bytes as bytes and text as text, along with ordinary requests", async () => {
  await withTcp(() => echo, async (url) => {
    const client = await open(url);
    client.socket.send(new Uint8Array([0, 1, 255]));
    assert.deepEqual([...await client.next()], [0, 1, 255]);
    client.socket.send("grüße");
    assert.equal((await client.next()).toString(), "grüße");
    assert.equal(await (await fetch(url)).text(), "page");
    client.socket.close(1000, "enough");
    assert.equal((await client.closed).code, 1000);
  });
});

Deno.test("WebSockets pass the guard: exact Host and Origin, no other site (threat 12)", async () => {
  let admitted = 0;
  const admit: Admit = () => {
    admitted++;
    return echo;
  };
  await withTcp(admit, async (url) => {
    const { port } = new URL(url);
    const refused: [string, Record<string, string>, number][] = [
      ["no origin", {}, 403],
      ["origin null", { origin: "null" }, 403],
      ["another site", { origin: "http://evil.example" }, 403],
      ["a suffix", { origin: `${url}.evil.example` }, 403],
      ["a longer port", { origin: `${url}0` }, 403],
      ["no port", { origin: "http://127.0.0.1" }, 403],
      ["another port", { origin: `http://127.0.0.1:${Number(port) - 1}` }, 403],
      ["another name of this host", { origin: `http://localhost:${port}` }, 403],
      ["a path", { origin: `${url}/` }, 403],
      ["a page of another site", { origin: url, "sec-fetch-site": "cross-site" }, 403],
      ["a sibling", { origin: url, "sec-fetch-site": "same-site" }, 403],
      ["a foreign host", { origin: "http://evil.example", host: "evil.example" }, 421],
    ];
    for (const [what, headers, status] of refused) {
      await assert.rejects(open(url, headers), new RegExp(`Unexpected server response: ${status}`), what);
    }
    assert.equal(admitted, 0);
    (await open(url, { origin: url, "sec-fetch-site": "same-origin" })).socket.close();
    assert.equal(admitted, 1);
  });
});

Deno.test("WebSockets answer a refusal in the contract's words, with the security headers", async () => {
  const refuse: Admit = () => {
    throw new ContractError("VmNotFound", { vmId: "x" });
  };
  await withTcp(refuse, async (url) => {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) });
    const ask = async (protocol: string) => {
      await connection.write(new TextEncoder().encode(upgradeRequest(url, { protocol })));
      return await new Response(connection.readable).text();
    };
    const answer = await ask("websocket");
    assert.match(answer, /^HTTP\/1\.1 404 Not Found\r\n/);
    assert.match(answer, /content-security-policy: default-src 'none'/);
    assert.match(answer, /"message":"VM not found: x"/);
  });
});

Deno.test("WebSockets close with what the session says, and as unexpected when it fails", async () => {
  const sessions: PeerSession[] = [
    () => Promise.resolve({ code: 4001, reason: "é".repeat(100) }),
    () => Promise.reject(new Error("secret")),
  ];
  const { stderr } = Deno, original = stderr.writeSync;
  stderr.writeSync = (bytes) => bytes.length;
  try {
    await withTcp(() => sessions.shift()!, async (url) => {
      assert.deepEqual(await (await open(url)).closed, { code: 4001, reason: "é".repeat(61) });
      const { code, reason } = await (await open(url)).closed;
      assert.equal(code, 1011);
      assert.doesNotMatch(reason, /secret/);
    });
  } finally {
    stderr.writeSync = original;
  }
});

Deno.test("Peer.send() waits for a peer that does not read, and holds a bounded number of bytes (threat 20, fault 16)", async () => {
  let peer: WebSocketConnection | undefined;
  let sent = 0;
  const flood: PeerSession = async (each) => {
    peer = each;
    while (await each.send(new Uint8Array(65536))) sent += 65536;
    return BYE;
  };
  await withLimits({ unsent: 512 * 1024 }, () => flood, async (url, sockets) => {
    const connection = await deaf(url);
    await until("something was sent", () => sent > 0);
    let before = -1;
    await until("nothing more is sent", () => {
      const isStill = before === sent && peer!.unsent > 512 * 1024;
      before = sent;
      return isStill;
    });
    assert.ok(peer!.unsent <= 512 * 1024 + 65536, `${peer!.unsent} bytes are held`);
    const held = sent;
    const buffer = new Uint8Array(1 << 20);
    let read = 0;
    while (read < held) read += await connection.read(buffer) ?? assert.fail("the stream ended");
    await until("it goes on when it reads", () => sent > held);
    connection.close();
    await until("the session has ended", () => sockets.size === 0);
  });
});

Deno.test("WebSockets find a peer that gives no sign of life, and keep one that does", async () => {
  const silent: PeerSession = async (peer) => {
    for await (const _ of peer.messages());
    return BYE;
  };
  await withLimits({ pingEvery: 40, closing: 50 }, () => silent, async (url, sockets) => {
    const living = await open(url);
    const dead = await deaf(url);
    assert.equal(sockets.size, 2);
    await until("the dead one is gone", () => sockets.size === 1);
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(living.socket.readyState, WebSocket.OPEN);
    dead.close();
    living.socket.close();
  });
});

Deno.test("Peer.messages() reads no faster than they are taken", async () => {
  const gate = Promise.withResolvers<void>();
  let taken = 0;
  const slow: PeerSession = async (peer) => {
    await gate.promise;
    for await (const message of peer.messages()) taken += message.length;
    return BYE;
  };
  await withLimits({ unread: 4096 }, () => slow, async (url) => {
    const client = await open(url);
    const total = 32 * 1024 * 1024, chunk = new Uint8Array(65536);
    for (let sent = 0; sent < total; sent += chunk.length) client.socket.send(chunk);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.ok(client.socket.bufferedAmount > total / 2, "the server took in what was not read");
    gate.resolve();
    await until("all has arrived", () => taken === total, 10_000);
    client.socket.close();
  });
});

Deno.test("WebSockets refuse a message that is too large, and a socket too many", async () => {
  await withLimits({ maxPayload: 1000, mostSockets: 1 }, () => echo, async (url, sockets) => {
    const client = await open(url);
    await assert.rejects(open(url), /Unexpected server response: 429/);
    client.socket.send(new Uint8Array(1001));
    assert.equal((await client.closed).code, 1009);
    await until("it is forgotten", () => sockets.size === 0);
    const next = await open(url);
    next.socket.send("x");
    assert.equal((await next.next()).toString(), "x");
    next.socket.close();
  });
});

Deno.test("Listener.close() closes WebSockets with a word, and cuts those that do not answer", async () => {
  const endings: string[] = [];
  const session: PeerSession = async (peer) => {
    for await (const _ of peer.messages());
    endings.push("ended");
    return BYE;
  };
  await withTcp(() => session, async (url, close) => {
    const client = await open(url);
    const silent = await deaf(url);
    const started = performance.now();
    await close();
    assert.ok(performance.now() - started < 2000);
    assert.deepEqual(await client.closed, { code: 1001, reason: "The server is stopping" });
    assert.deepEqual(endings, ["ended", "ended"]);
    silent.close();
  });
});

Deno.test("listenSocket() takes WebSockets as the door it is", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const doors: string[] = [];
  const admit: Admit = (_request, door) => {
    doors.push(door);
    return echo;
  };
  const listener = await listenSocket(`${folder}/api.sock`, () => Promise.resolve(new Response()), admit);
  try {
    const socket = new WebSocket(`ws+unix:${folder}/api.sock:/console`);
    await new Promise((resolve, reject) => {
      socket.on("open", resolve);
      socket.on("error", reject);
    });
    assert.deepEqual(doors, ["socket"]);
    const closed = new Promise((resolve) => socket.on("close", resolve));
    socket.close();
    await closed;
  } finally {
    await listener.close();
    await Deno.remove(folder, { recursive: true });
  }
});
