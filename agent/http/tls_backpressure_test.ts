import assert from "node:assert/strict";
import { Certificates } from "../certificate/certificates.ts";
import { setLogLevel } from "../log.ts";
import { arrivingBody } from "./arriving.ts";
import { type Answer, listenTcp } from "./server.ts";

setLogLevel("error");

const MB = 1024 * 1024;
const SIZE = 128 * MB;
/** What sockets, TLS and streams hold between a client and a reader that waits. */
const MOST_UNREAD = 24 * MB;

/** Its bytes tell where each of them belongs. */
const piece = Uint8Array.from({ length: MB }, (_, index) => index % 251);

/** Sends a body of SIZE, and counts what was taken of it. */
async function send(connection: Deno.Conn, host: string, onSent: (bytes: number) => void): Promise<string> {
  const head =
    `PUT /api/v1/pools/p/volumes/v/content HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${SIZE}\r\n` +
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
    const dataDir = await Deno.makeTempDir({ prefix: "kvmm-test-" });
    await using cleanup = new AsyncDisposableStack();
    cleanup.defer(() => Deno.remove(dataDir, { recursive: true }));
    const begun = Promise.withResolvers<void>(), held = Promise.withResolvers<void>();
    const answer: Answer = async (request) => {
      const body = arrivingBody(request)!;
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
    const certificates = await Certificates.open({ dataDir, names: () => ["127.0.0.1"] });
    const listener = await listenTcp(`${scheme}://127.0.0.1:0`, answer, { certificates });
    cleanup.defer(() => listener.close());
    const { hostname, port, host } = new URL(listener.address);
    const where = { hostname, port: Number(port) };
    const connection = scheme === "http"
      ? await Deno.connect(where)
      : await Deno.connectTls({ ...where, caCerts: [certificates.pair.cert] });
    let sent = 0;
    const whole = send(connection, host, (bytes) => sent = bytes);
    whole.catch(() => {/* thrown where it is awaited: when a test fails before, that is what is told */});
    await begun.promise;
    for (let before = -1; before !== sent;) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
    assert.ok(sent < MOST_UNREAD, `${sent / MB} MB were taken from a client while nobody read them`);
    held.resolve();
    assert.match(await whole, new RegExp(`\r\n${SIZE} 0(\r\n|$)`));
  });
}
