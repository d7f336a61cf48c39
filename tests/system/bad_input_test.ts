/** Checks that bad requests get the contract's error, without internal details. */
import assert from "node:assert/strict";
import { COMMANDS } from "../../lib/contract/mod.ts";
import { startServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";

const reason = await requirement("qemu");
const systemTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn });

systemTest("bad input is 4xx with the contract's error, never 500, never a stack", async () => {
  await using server = await startServer();
  const post = (path: string, body: BodyInit, type = "application/json") =>
    fetch(`${server.url}/api/v1${path}`, { method: "POST", headers: { "content-type": type }, body });
  const cases: [Promise<Response>, number, string][] = [
    [post("/commands/get_vm", "{"), 400, "InvalidJson"],
    [post("/commands/get_vm", "[]"), 400, "InvalidInput"],
    [post("/commands/get_vm", "null"), 404, ""],
    [post("/commands/get_vm", '{"vmId":5}'), 400, "InvalidInput"],
    [post("/commands/get_vm", '{"vmId":"x","extra":1}'), 400, "InvalidInput"],
    [post("/commands/get_vm", '{"__proto__":{"vmId":"x"}}'), 400, "InvalidInput"],
    [post("/commands/constructor", "{}"), 404, "UnknownCommand"],
    [post("/commands/get_vm", "vmId=x", "application/x-www-form-urlencoded"), 415, "UnsupportedMediaType"],
    [post("/commands/get_vm", JSON.stringify({ vmId: "x".repeat(2_000_000) })), 413, "BodyTooLarge"],
    [fetch(`${server.url}/api/v1/nothing`), 404, "NotFound"],
    [fetch(`${server.url}/api/v1/vms/%00%ff`), 400, ""],
    [fetch(`${server.url}/api/v1/activity?limit=lots`), 400, "InvalidInput"],
    [fetch(`${server.url}/api/v1/activity?limit=1&limit=2`), 400, "InvalidInput"],
  ];
  for (const [asked, status, code] of cases) {
    const response = await asked;
    const text = await response.text();
    const where = `${response.url} ${text.slice(0, 200)}`;
    assert.ok(response.status >= 400 && response.status < 500, `${response.status} ${where}`);
    if (code !== "") assert.deepEqual([response.status, JSON.parse(text).code], [status, code], where);
    assert.doesNotMatch(text, /\.ts:\d+|at async/, where);
  }
});

systemTest("a request from another site or for another host is refused", async () => {
  await using server = await startServer();
  const port = new URL(server.url).port;
  const origins = [
    "null",
    "http://evil.example",
    `http://127.0.0.1.evil.example:${port}`,
    "http://127.0.0.1:1",
    `https://127.0.0.1`,
  ];
  for (const origin of origins) {
    const response = await fetch(`${server.url}/api/v1/commands/get_vms`, {
      method: "POST",
      headers: { origin, "content-type": "application/json" },
      body: "{}",
    });
    assert.deepEqual([response.status, (await response.json()).code], [403, "ForeignOrigin"], origin);
  }
  const own = await fetch(`${server.url}/api/v1/commands/get_vms`, {
    method: "POST",
    headers: { origin: server.url },
    body: "",
  });
  assert.equal(own.status, 200);
  await own.body?.cancel();
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  await connection.write(
    new TextEncoder().encode("GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"),
  );
  assert.match(await new Response(connection.readable).text(), /^HTTP\/1\.1 421 /);
});

systemTest("the OpenAPI description and the reference have every command", async () => {
  await using server = await startServer();
  const description = await (await fetch(`${server.url}/api/v1/openapi.json`)).json();
  const ids = Object.values(description.paths as Record<string, Record<string, { operationId: string }>>)
    .flatMap((item) => Object.values(item).map((operation) => operation.operationId));
  const reference = await (await fetch(`${server.url}/api/v1/reference`)).text();
  for (const name of Object.keys(COMMANDS)) {
    assert.ok(ids.includes(name), name);
    assert.ok(reference.includes(`?command=${name}"`), name);
  }
});
