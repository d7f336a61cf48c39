/** Slow, greedy and foreign clients (over loopback): none holds the server, each is told or cut in bounded time. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { startServer, type TestServer } from "../testbed/server.ts";
import { testerHeaders } from "../testbed/sign_in.ts";
import { delay, until } from "../testbed/wait.ts";
import { skippedUnless } from "../testbed/skipped_unless.ts";

const HEAD_MS = 12_500;
const BODY_MS = 35_000;
const encoder = new TextEncoder();

/** libvirt's test driver: what is tested here stands before libvirt. */
const start = () => startServer({ uri: "test:///default" });

async function connect(server: TestServer): Promise<Deno.TcpConn> {
  const { hostname, port } = new URL(server.url);
  return await Deno.connect({ hostname, port: Number(port) });
}

/** Sends bytes as they are. A server that has had enough may reset the connection meanwhile: no failure. */
async function send(connection: Deno.TcpConn, text: string): Promise<void> {
  const bytes = encoder.encode(text);
  try {
    for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
  } catch (error) {
    if (!isCut(error)) throw error;
  }
}

function isCut(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe;
}

/** All that the server sends until it closes, or resets. */
async function untilClosed(connection: Deno.TcpConn): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(65_536);
  let text = "";
  try {
    for (let count; (count = await connection.read(buffer)) !== null;) {
      text += decoder.decode(buffer.subarray(0, count), { stream: true });
    }
  } catch (error) {
    if (!isCut(error)) throw error;
  }
  return text;
}

/** Sends `text`, then nothing; gives what the server said and after how many milliseconds it closed. */
async function stalled(server: TestServer, text: string): Promise<{ answer: string; ms: number }> {
  using connection = await connect(server);
  const begin = performance.now();
  await send(connection, text);
  const answer = await untilClosed(connection);
  return { answer, ms: performance.now() - begin };
}

const host = (server: TestServer) => new URL(server.url).host;
/** The header that signs a request in. */
const signedIn = ({ url }: TestServer) => `authorization: ${testerHeaders(url).authorization}\r\n`;

/** Sends one request with headers that fetch would not let us set; gives its status and body. */
async function raw(
  server: TestServer,
  head: string,
  headers: Record<string, string>,
): Promise<{ status: number; body: string }> {
  using connection = await connect(server);
  const lines = Object.entries({ connection: "close", ...headers }).map(([name, value]) =>
    `${name}: ${value}\r\n`
  );
  await send(connection, `${head} HTTP/1.1\r\n${lines.join("")}\r\n`);
  const answer = await untilClosed(connection);
  const [, status = ""] = /^HTTP\/1\.1 (\d+)/.exec(answer) ?? [];
  return { status: Number(status), body: answer.slice(answer.indexOf("\r\n\r\n") + 4) };
}

Deno.test("clients that stop in the middle are told or cut in time, and do not delay others", async () => {
  await using server = await start();
  const command = "POST /api/v1/commands/get_vms HTTP/1.1\r\n";
  const json = `host: ${host(server)}\r\n${signedIn(server)}content-type: application/json\r\n`;
  const cases: [what: string, text: string, limit: number][] = [
    ["nothing at all", "", HEAD_MS],
    ["half a first line", "GET /api/v1/conn", HEAD_MS],
    ["half a head", `GET / HTTP/1.1\r\nhost: ${host(server)}\r\nx-half: `, HEAD_MS],
    ["half a body", `${command}${json}content-length: 100\r\n\r\n{"a":`, BODY_MS],
    ["half a chunk", `${command}${json}transfer-encoding: chunked\r\n\r\n40\r\n{"a":`, BODY_MS],
    ["half a form", `POST / HTTP/1.1\r\n${json}content-length: 100\r\n\r\na=`, BODY_MS],
  ];
  let waiting = true;
  const waits = Promise.all(cases.map(async ([what, text, limit]) => {
    const { answer, ms } = await stalled(server, text);
    const status = /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1];
    console.log(`      ${what}: ${status ?? "closed"} after ${(ms / 1000).toFixed(1)} s`);
    assert.ok(ms < limit, `${what} was held for ${ms} ms`);
    if (text.startsWith("POST /api")) assert.match(answer, /^HTTP\/1\.1 408 /, what);
  })).finally(() => waiting = false);
  // One that sends a byte now and then is no better: the limit is on the whole head.
  const drip = (async () => {
    using connection = await connect(server);
    const begin = performance.now();
    let closed = false;
    const end = untilClosed(connection).then(() => closed = true);
    await send(connection, "GET / HTTP/1.1\r\nx-slow: ");
    while (!closed && performance.now() - begin < HEAD_MS) {
      await delay(500);
      await send(connection, "a");
    }
    await end;
    assert.ok(performance.now() - begin < HEAD_MS + 1000, "a dripping head was held");
  })();
  while (waiting) {
    const begin = performance.now();
    await server.call("get_connection_status");
    assert.ok(performance.now() - begin < 1000, "others had to wait");
    await delay(1000);
  }
  await Promise.all([waits, drip]);
});

Deno.test("too much is refused: a head of 2 MB, bodies of 2 MB", async () => {
  await using server = await start();
  const before = await server.rss();
  const head = await stalled(
    server,
    `GET / HTTP/1.1\r\nhost: ${host(server)}\r\nx: ${"a".repeat(2 << 20)}\r\n\r\n`,
  );
  assert.ok(head.answer === "" || /^HTTP\/1\.1 4\d\d /.test(head.answer), head.answer.slice(0, 200));
  assert.ok(head.ms < 5000);
  const body = JSON.stringify({ a: "x".repeat(2 << 20) });
  const announced = await fetch(`${server.url}/api/v1/commands/get_vms`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  assert.equal(announced.status, 413);
  const error = { code: "BodyTooLarge", message: "The request body is larger than 1048576 bytes" };
  const { details, ...said } = await announced.json() as Record<string, unknown>;
  assert.deepEqual([said, details], [error, { limit: 1048576 }]);
  // Without a length it is counted while it arrives.
  const streamed = await fetch(`${server.url}/api/v1/commands/get_vms`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: ReadableStream.from(
      [body.slice(0, 900_000), body.slice(900_000)].map((part) => encoder.encode(part)),
    ),
  });
  assert.equal(streamed.status, 413);
  assert.equal((await streamed.json() as { code: string }).code, "BodyTooLarge");
  assert.ok(await server.rss() - before < 100 * 1024 * 1024);
  await server.call("get_connection_status");
});

/** Whether this process may open that many files more. */
const openFiles = Number(/^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1]);

Deno.test({
  name: "600 connections: one that was open already is answered, and afterwards everyone is",
  ignore: skippedUnless(openFiles >= 1000, `only ${openFiles} files may be open here (ulimit -n)`),
  fn: async () => {
    await using server = await start();
    using early = await connect(server);
    const get = `GET /api/v1/connection HTTP/1.1\r\nhost: ${host(server)}\r\n${signedIn(server)}\r\n`;
    const buffer = new Uint8Array(65_536);
    const ask = async () => {
      await send(early, get);
      const count = await early.read(buffer) ?? assert.fail("the open connection was closed");
      assert.match(new TextDecoder().decode(buffer.subarray(0, count)), /^HTTP\/1\.1 200 /);
    };
    await ask();
    {
      using many = new DisposableStack();
      const opened = await Promise.allSettled(Array.from({ length: 600 }, async () => {
        const connection = many.adopt(await connect(server), (open) => open.close());
        await send(connection, "GET / HTTP/1.1\r\nx: ");
      }));
      assert.ok(opened.filter(({ status }) => status === "fulfilled").length > 500);
      const begin = performance.now();
      await ask();
      assert.ok(performance.now() - begin < 2000);
    }
    await until("a new connection to be answered", async () => {
      try {
        return await server.call("get_connection_status") !== null;
      } catch (error) {
        if (error instanceof TypeError) return false; // the places are not free yet
        throw error;
      }
    }, { seconds: 5 });
  },
});

Deno.test("a foreign host name, origin, site or WebSocket is refused with the contract's error", async () => {
  await using server = await start();
  const own = host(server);
  const write = "POST /api/v1/commands/get_vms";
  const socket = {
    host: own,
    connection: "Upgrade, close",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  };
  const cases: [what: string, head: string, headers: Record<string, string>, status: number, code: string][] =
    [
      ["a rebound name", "GET /", { host: "evil.example" }, 421, "ForeignHost"],
      ["our name at another port", "GET /", { host: "127.0.0.1:1" }, 421, "ForeignHost"],
      ["our name as a prefix", "GET /", { host: own.replace(":", ".evil.example:") }, 421, "ForeignHost"],
      ...["http://evil.example", "null", `http://${own}.evil.example`, "http://127.0.0.1:1"].map((origin) =>
        [
          `a write from ${origin}`,
          write,
          { host: own, origin, "content-length": "0" },
          403,
          "ForeignOrigin",
        ] as [
          string,
          string,
          Record<string, string>,
          number,
          string,
        ]
      ),
      [
        "another site",
        write,
        { host: own, "sec-fetch-site": "cross-site", "content-length": "0" },
        403,
        "ForeignOrigin",
      ],
      [
        "an API read from another site",
        "GET /api/v1/vms",
        { host: own, origin: "http://evil.example" },
        403,
        "ForeignOrigin",
      ],
      [
        "a WebSocket from another site",
        "GET /api/v1/events",
        { ...socket, origin: "http://evil.example" },
        403,
        "ForeignOrigin",
      ],
      [
        "a WebSocket from a page without origin",
        "GET /",
        { ...socket, origin: "null" },
        403,
        "ForeignOrigin",
      ],
      ["a WebSocket that does not say from where", "GET /", socket, 403, "ForeignOrigin"],
    ];
  for (const [what, head, headers, status, code] of cases) {
    const wait = raw(server, head, headers);
    const { status: found, body } = await wait;
    assert.equal(found, status, what);
    assert.match(body, new RegExp(`"code":"${code}"`), what);
  }
  const fine = await raw(server, write, {
    ...testerHeaders(server.url),
    host: own,
    origin: `http://${own}`,
    "content-length": "0",
  });
  assert.equal(fine.status, 200, fine.body);
});
