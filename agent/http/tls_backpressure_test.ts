import assert from "node:assert/strict";
// @ts-types="@types/ws"
import { WebSocket } from "ws";
import { Certificates } from "../system/certificate/certificates.ts";
import { setLogLevel } from "../log.ts";
import { requestBody } from "./request_body.ts";
import { type Answer, listenTcp, type TcpOptions } from "./server.ts";
import { upgradeRequest } from "./testing.ts";
import type { PeerSession } from "./websocket.ts";

setLogLevel("error");

const MB = 1024 * 1024;
const SIZE = 128 * MB;
/** Limit of bytes that sockets, TLS and streams hold between a client and a reader that waits. */
const MOST_UNREAD = 24 * MB;

/** Milliseconds without growth that {@link settled} waits for. */
const QUIET_MS = 400;

/** A number that grows, when it grows no more. */
async function settled(count: () => number): Promise<number> {
  for (let before = -1; before !== count();) {
    before = count();
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  }
  return count();
}

/** Serves over http or https while something runs. */
async function serving(
  scheme: string,
  answer: Answer,
  options: TcpOptions,
  run: (at: URL, ca: string) => Promise<void>,
): Promise<void> {
  const dataDir = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => Deno.remove(dataDir, { recursive: true }));
  const certificates = await Certificates.open({ dataDir, names: () => ["127.0.0.1"] });
  const listener = await listenTcp(`${scheme}://127.0.0.1:0`, answer, { ...options, certificates });
  cleanup.defer(() => listener.close());
  await run(new URL(listener.address), certificates.pair.cert);
}

/** Connects, and begins TLS where the address says so. */
async function connect({ protocol, hostname, port }: URL, ca: string): Promise<Deno.Conn> {
  const where = { hostname, port: Number(port) };
  return protocol === "http:"
    ? await Deno.connect(where)
    : await Deno.connectTls({ ...where, caCerts: [ca] });
}

/** For listeners of which only WebSockets are asked. */
const unasked: Answer = () => Promise.reject(new Error("not asked"));

/** Its bytes tell where each of them belongs. */
const piece = Uint8Array.from({ length: MB }, (_, index) => index % 251);

/** Sends a body of SIZE, and counts what was taken of it. */
async function send(connection: Deno.Conn, host: string, onSent: (bytes: number) => void): Promise<string> {
  const head =
    `PUT /api/v1/storage/pools/p/volumes/v/content HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${SIZE}\r\n` +
    "Connection: close\r\n\r\n";
  const write = async (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
  };
  await write(new TextEncoder().encode(head));
  for (let sent = 0; sent < SIZE; sent += MB) {
    await write(piece);
    onSent(sent + MB);
  }
  return await new Response(connection.readable).text();
}

for (const scheme of ["http", "https"]) {
  Deno.test(`a body over ${scheme} comes no faster than it is read, and comes whole`, async () => {
    const begun = Promise.withResolvers<void>(), held = Promise.withResolvers<void>();
    const answer: Answer = async (request) => {
      const body = requestBody(request)!;
      let count = 0, wrong = 0;
      for (let bytes = await body.next(); bytes !== null; bytes = await body.next()) {
        if (bytes[0] !== (count % MB) % 251) wrong++;
        count += bytes.length;
        if (count === bytes.length) {
          begun.resolve();
          await held.promise;
        }
      }
      return new Response(`${count} ${wrong}`);
    };
    await serving(scheme, answer, {}, async (at, ca) => {
      let sent = 0;
      const whole = send(await connect(at, ca), at.host, (bytes) => sent = bytes);
      whole.catch(() => {/* thrown where it is awaited: when a test fails before, that is what is told */});
      await begun.promise;
      const taken = await settled(() => sent);
      assert.ok(taken < MOST_UNREAD, `${taken / MB} MB were taken from a client without a reader`);
      held.resolve();
      assert.match(await whole, new RegExp(`\r\n${SIZE} 0(\r\n|$)`));
    });
  });

  Deno.test(`a WebSocket over ${scheme} is read no faster than its messages are taken`, async () => {
    const held = Promise.withResolvers<void>();
    let taken = 0;
    const slow: PeerSession = async (peer) => {
      await held.promise;
      for await (const message of peer.messages()) taken += message.length;
      return { code: 1000, reason: "bye" };
    };
    await serving(scheme, unasked, { admit: () => slow }, async (at, ca) => {
      const socket = new WebSocket(`${at.href.replace("http", "ws")}console`, { ca, origin: at.origin });
      await new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));
      const chunk = new Uint8Array(65536);
      for (let sent = 0; sent < SIZE; sent += chunk.length) socket.send(chunk);
      const unsent = await settled(() => socket.bufferedAmount);
      assert.ok(SIZE - unsent < MOST_UNREAD, `${(SIZE - unsent) / MB} MB were taken without a reader`);
      held.resolve();
      const end = performance.now() + 20_000;
      while (taken < SIZE && performance.now() < end) await settled(() => taken);
      assert.equal(taken, SIZE);
      const closed = new Promise((resolve) => socket.on("close", resolve));
      socket.close();
      await closed;
    });
  });

  Deno.test(`a WebSocket over ${scheme} holds little for a client that does not read`, async () => {
    let sent = 0;
    const flood: PeerSession = async (peer) => {
      const piece = new Uint8Array(65536);
      while (sent < SIZE && await peer.send(piece)) sent += piece.length;
      return { code: 1000, reason: "bye" };
    };
    await serving(scheme, unasked, { admit: () => flood }, async (at, ca) => {
      using connection = await connect(at, ca);
      await connection.write(new TextEncoder().encode(upgradeRequest(at.origin)));
      const held = await settled(() => sent);
      assert.ok(held > 0 && held < MOST_UNREAD, `${held / MB} MB were sent to a client that reads nothing`);
    });
  });
}
