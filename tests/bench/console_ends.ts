/**
 * The other ends of the console's bench, each a process of its own; says its port on standard output.
 *
 *     console_ends.ts flood BYTES        a VNC server that lets everyone in and then sends so many bytes
 *     console_ends.ts proxy PORT         our WebSocket proxy in front of the VNC server at that port
 *     console_ends.ts relay PORT         bytes read and written, nothing else: what no proxy can do without
 */
import { proxyVnc } from "../../agent/console/vnc/console.ts";
import { CHUNK, connectVnc } from "../../agent/console/vnc/connection.ts";
import { writeAll } from "../../lib/write_all.ts";
import { listenTcp } from "../../agent/http/server.ts";

const HELLO = new TextEncoder().encode("RFB 003.008\n");
/** Security types: None; result: good; screen: 640 × 480, 32 bits, name "x". */
const REST = new Uint8Array([1, 1, 0, 0, 0, 0, 2, 128, 1, 224, ...new Array(16).fill(0), 0, 0, 0, 1, 120]);

async function serveFlood(connection: Deno.Conn, bytes: number): Promise<void> {
  const chunk = new Uint8Array(64 * 1024);
  using _ = connection;
  await writeAll(connection, HELLO);
  await writeAll(connection, REST);
  let said = 0;
  const buffer = new Uint8Array(64);
  while (said < HELLO.length + 2) said += await connection.read(buffer) ?? Infinity;
  for (let sent = 0; sent < bytes; sent += chunk.length) await writeAll(connection, chunk);
  await connection.read(buffer); // until the other end has had enough
}

async function flood(bytes: number): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  console.log(listener.addr.port);
  for await (const connection of listener) {
    serveFlood(connection, bytes).catch(() => {/* the reader left before the end: it has had enough */});
  }
}

async function proxy(port: number): Promise<void> {
  const { address } = await listenTcp(
    "127.0.0.1:0",
    () => Promise.resolve(new Response()),
    {
      admit: () => async (peer) => {
        using server = await connectVnc({ host: "127.0.0.1", port });
        return await proxyVnc(server, peer, false);
      },
    },
  );
  console.log(new URL(address).port);
}

/** Carries bytes until one end is gone, reading the next while the last are written. */
async function carry(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  let [buffer, next] = [new Uint8Array(CHUNK), new Uint8Array(CHUNK)];
  for (let count = await from.read(buffer); count !== null;) {
    const [ahead] = await Promise.all([from.read(next), writeAll(to, buffer.subarray(0, count))]);
    [buffer, next, count] = [next, buffer, ahead];
  }
}

async function relay(port: number): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  console.log(listener.addr.port);
  for await (const client of listener) {
    const server = await Deno.connect({ hostname: "127.0.0.1", port });
    const ends = [carry(server, client), carry(client, server)].map((end) =>
      end.catch(() => {/* one of them left: so does the other */})
    );
    void Promise.race(ends).then(() => [client, server].forEach((end) => end.close()));
  }
}

if (import.meta.main) {
  const [what, number] = Deno.args;
  const run = { flood, proxy, relay }[what ?? ""];
  if (run === undefined) throw new Error("say flood, proxy or relay");
  await run(Number(number));
}
