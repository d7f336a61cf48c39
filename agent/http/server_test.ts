import assert from "node:assert/strict";
import { setLogLevel } from "../log.ts";
import { type Answer, type Listener, type ListenerLimits, listenSocket, listenTcp } from "./server.ts";
import { upgradeRequest } from "./testing.ts";

setLogLevel("error"); // refusals are logged, and are many here

/** Limits short enough to be waited for. */
const SHORT: Partial<ListenerLimits> = {
  headersTimeout: 150,
  requestTimeout: 300,
  connectionsCheckingInterval: 20,
};
const hello: Answer = async (request, door) =>
  new Response(`${door} ${request.method} ${await request.text().catch(() => "aborted")}`);

async function withTcp(
  run: (port: number, listener: Listener) => Promise<void>,
  answer = hello,
  limits = SHORT,
) {
  const listener = await listenTcp("127.0.0.1:0", answer, { limits });
  try {
    await run(Number(new URL(listener.address).port), listener);
  } finally {
    await listener.close();
  }
}
/** Runs in a folder of its own. */
async function withFolder(run: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
/** Sends bytes as they are; gives all that comes back until the server closes, and how long that took. */
async function raw(
  where: Deno.ConnectOptions | Deno.UnixConnectOptions,
  text: string,
  most = 5000,
): Promise<{ answer: string; ms: number }> {
  using connection = await ("path" in where ? Deno.connect(where) : Deno.connect(where));
  const started = performance.now();
  const limit = setTimeout(() => connection.close(), most);
  let answer = "";
  try {
    await connection.write(new TextEncoder().encode(text));
    const buffer = new Uint8Array(65536);
    for (let read = await connection.read(buffer); read !== null; read = await connection.read(buffer)) {
      answer += new TextDecoder().decode(buffer.subarray(0, read));
    }
  } catch (error) {
    const { ConnectionReset, BrokenPipe, Interrupted, BadResource } = Deno.errors;
    if (![ConnectionReset, BrokenPipe, Interrupted, BadResource].some((kind) => error instanceof kind)) {
      throw error;
    }
  } finally {
    clearTimeout(limit);
  }
  return { answer, ms: performance.now() - started };
}
const status = (answer: string) => Number(answer.split(" ")[1]);
const tcp = (port: number) => ({ hostname: "127.0.0.1", port });

Deno.test("listenTcp() answers, with the security headers, as the door it is", async () => {
  await withTcp(async (port) => {
    const response = await fetch(`http://127.0.0.1:${port}/x`, { method: "POST", body: "body" });
    assert.equal(await response.text(), "api POST body");
    assert.match(response.headers.get("content-security-policy")!, /default-src 'none'/);
  });
});

Deno.test("listenTcp() refuses a foreign Host and Origin before anything else sees the request (threats 12, 14)", async () => {
  let seen = 0;
  const answer: Answer = () => Promise.resolve(new Response(`${++seen}`));
  await withTcp(async (port) => {
    const head = (host: string, more = "") =>
      `GET /api/v1/vms HTTP/1.1\r\nHost: ${host}\r\n${more}Connection: close\r\n\r\n`;
    const own = `127.0.0.1:${port}`;
    const foreign = await raw(tcp(port), head("evil.example"));
    assert.equal(status(foreign.answer), 421);
    assert.match(foreign.answer, /"code":"ForeignHost"/);
    assert.match(foreign.answer, /content-security-policy/i);
    assert.equal(status((await raw(tcp(port), head(own, "Origin: http://evil.example\r\n"))).answer), 403);
    assert.equal(status((await raw(tcp(port), head(own, "Sec-Fetch-Site: cross-site\r\n"))).answer), 403);
    const upgrade = upgradeRequest(`http://${own}`, { origin: "http://evil.example" });
    const socket = await raw(tcp(port), upgrade, 300);
    assert.notEqual(status(socket.answer), 101, "a foreign page gets no WebSocket");
    assert.equal(seen, 0);
    assert.equal(status((await raw(tcp(port), head(own))).answer), 200);
    assert.equal(seen, 1);
  }, answer);
});

Deno.test("listenTcp() gives up a request whose head or body never comes whole (threat 20)", async () => {
  await withTcp(async (port) => {
    const host = `Host: 127.0.0.1:${port}\r\n`;
    const halves = {
      nothing: "",
      "half a head": `GET / HTTP/1.1\r\n${host}X-Half:`,
      "half a body": `POST / HTTP/1.1\r\n${host}Content-Length: 100\r\n\r\nhalf`,
      "half a chunk":
        `POST /api/v1/commands/x HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n64\r\nhalf`,
    };
    for (const [what, text] of Object.entries(halves)) {
      const { answer, ms } = await raw(tcp(port), text);
      assert.ok(ms < 3000, `${what} was held for ${ms} ms`);
      assert.ok(answer === "" || status(answer) === 408, `${what}: ${answer}`);
    }
  });
});

Deno.test("listenTcp() refuses heads that are too large or broken, and lives on", async () => {
  await withTcp(async (port) => {
    const host = `Host: 127.0.0.1:${port}\r\n`;
    const bad = {
      "a large header": `GET / HTTP/1.1\r\n${host}X: ${"x".repeat(40_000)}\r\n\r\n`,
      "many headers": `GET / HTTP/1.1\r\n${host}${"X: xxxxxxxx\r\n".repeat(4000)}\r\n`,
      "a long path": `GET /${"x".repeat(40_000)} HTTP/1.1\r\n${host}\r\n`,
      "no HTTP": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
      "two lengths": `POST / HTTP/1.1\r\n${host}Content-Length: 1\r\nContent-Length: 2\r\n\r\nx`,
      "length and chunks":
        `POST / HTTP/1.1\r\n${host}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      "a broken length": `POST / HTTP/1.1\r\n${host}Content-Length: x\r\n\r\n`,
      "no host": "GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
      "no host, old": "GET / HTTP/1.0\r\n\r\n",
      "a broken host": "GET / HTTP/1.1\r\nHost: a b/..\r\nConnection: close\r\n\r\n",
      "two hosts": `GET / HTTP/1.1\r\n${host}Host: evil.example\r\nConnection: close\r\n\r\n`,
      "another's address":
        `GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`,
    };
    for (const [what, text] of Object.entries(bad)) {
      const { answer, ms } = await raw(tcp(port), text);
      assert.ok(ms < 3000, `${what} was held for ${ms} ms`);
      assert.ok(
        answer === "" || status(answer) >= 400 && status(answer) < 500,
        `${what}: ${answer.slice(0, 200)}`,
      );
      assert.doesNotMatch(answer, /\.ts:| {4}at /);
    }
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "api GET ");
  });
});

Deno.test("listenTcp() tells a fault of ours in the contract's words", async () => {
  const { stderr } = Deno, original = stderr.writeSync;
  stderr.writeSync = (bytes) => bytes.length;
  try {
    await withTcp(async (port) => {
      const response = await fetch(`http://127.0.0.1:${port}/`);
      assert.equal(response.status, 500);
      const body = await response.text();
      assert.equal(JSON.parse(body).code, "Internal");
      assert.doesNotMatch(body, /secret/);
    }, () => Promise.reject(new Error("secret")));
  } finally {
    stderr.writeSync = original;
  }
});

Deno.test("listenTcp() refuses plain HTTP beyond loopback, TLS without a certificate, and what is taken", async () => {
  for (const at of ["0.0.0.0:0", "[::]:0", "10.0.0.1:0", "example.org:80", "127.0.0.1.evil.example:0"]) {
    await assert.rejects(listenTcp(`http://${at}`, hello), /without TLS/, at);
    await assert.rejects(listenTcp(at, hello), /no certificate/, at);
  }
  await assert.rejects(listenTcp("https://127.0.0.1:0", hello), /no certificate/);
  await withTcp(async (port) => {
    await assert.rejects(listenTcp(`127.0.0.1:${port}`, hello), /is in use already\. Stop the other program/);
  });
});

Deno.test("listenTcp() answers on every loopback address it is told to listen on", async () => {
  const listener = await listenTcp("127.0.0.2:0", hello);
  try {
    assert.equal(await (await fetch(listener.address)).text(), "api GET ");
  } finally {
    await listener.close();
  }
});

Deno.test("Listener.close() cuts streams that are still open", async () => {
  let cancelled = false;
  const endless: Answer = () =>
    Promise.resolve(
      new Response(
        new ReadableStream({
          start: (controller) => controller.enqueue(new TextEncoder().encode("first")),
          cancel: () => void (cancelled = true),
        }),
      ),
    );
  const listener = await listenTcp("127.0.0.1:0", endless);
  const response = await fetch(listener.address);
  const reader = response.body!.getReader();
  assert.equal(new TextDecoder().decode((await reader.read()).value), "first");
  const started = performance.now();
  await listener.close();
  assert.ok(performance.now() - started < 1000);
  await reader.read().catch(() => {/* the connection was cut, as it should be */});
  for (let wait = 0; !cancelled && wait < 100; wait++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.ok(cancelled, "the answer's own end is told that it is no longer read");
  await assert.rejects(fetch(listener.address));
});

Deno.test("listenSocket() is the owner's alone, and answers without a gate", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/run/api.sock`;
    const listener = await listenSocket(path, hello);
    try {
      assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
      assert.equal((await Deno.stat(`${folder}/run`)).mode! & 0o777, 0o700);
      const { answer } = await raw(
        { transport: "unix", path },
        "GET / HTTP/1.1\r\nHost: whatever\r\nConnection: close\r\n\r\n",
      );
      assert.match(answer, /^HTTP\/1\.1 200[^]*socket GET /);
    } finally {
      await listener.close();
    }
  });
});

Deno.test("listenSocket() replaces a dead socket, and refuses a live one and what is no socket", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/api.sock`;
    const dead = new Deno.Command("python3", {
      args: ["-c", "import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])", path],
    });
    assert.equal((await dead.output()).code, 0);
    const listener = await listenSocket(path, hello);
    try {
      await assert.rejects(listenSocket(path, hello), /another KVM Manager already listens on .*api\.sock/);
      using http = Deno.createHttpClient({ proxy: { transport: "unix", path } });
      assert.equal(
        await (await fetch("http://localhost/", { client: http })).text(),
        "socket GET ",
        "the first one lives on",
      );
    } finally {
      await listener.close();
    }
    const file = `${folder}/file`;
    await Deno.writeTextFile(file, "precious");
    await assert.rejects(listenSocket(file, hello), /is not a socket/);
    assert.equal(await Deno.readTextFile(file), "precious");
  });
});

Deno.test("listenSocket() can listen again where it listened before", async () => {
  await withFolder(async (folder) => {
    for (let round = 0; round < 3; round++) await (await listenSocket(`${folder}/api.sock`, hello)).close();
  });
});
