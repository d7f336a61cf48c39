/** The same commands through every door: REST, the uniform door, the UNIX socket and the command line. */
import assert from "node:assert/strict";
import { COMMANDS } from "../../lib/contract/mod.ts";
import { testMachine } from "../testbed/machine.ts";
import { known } from "../testbed/product.ts";
import { startServer, type TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";

const reason = await requirement("qemu");
const systemTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn });

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

async function cli(server: TestServer, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", MAIN, "call", ...args],
    env: { KVMM_RUNTIME_DIR: server.runtimeDir },
  }).output();
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

systemTest("one machine reads the same through every door", async (t) => {
  await using vm = await testMachine({ purpose: "doors", guest: false });
  await using server = await startServer();
  await known(server, vm.uuid);
  const uniform = await server.call("get_vm", { vmId: vm.uuid });

  await t.step("REST", async () => {
    const response = await fetch(`${server.url}/api/v1/vms/${vm.uuid}`);
    assert.deepEqual(await response.json(), uniform);
    const put = await fetch(`${server.url}/api/v1/vms/${vm.uuid}/tags`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: '{"tags":["a"]}',
    });
    assert.equal(put.status, 200);
    assert.equal(await put.json(), null);
    const wrong = await fetch(`${server.url}/api/v1/vms/${vm.uuid}/tags`, { method: "POST" });
    assert.equal(wrong.status, 405);
    assert.equal(wrong.headers.get("allow"), "PUT");
    assert.equal((await wrong.json()).code, "MethodNotAllowed");
  });

  await t.step("the UNIX socket, which only its owner can open", async () => {
    assert.equal((await Deno.stat(server.socket)).mode! & 0o777, 0o600);
    using client = Deno.createHttpClient({ proxy: { transport: "unix", path: server.socket } });
    const response = await fetch(`http://localhost/api/v1/vms/${vm.uuid}`, { client });
    assert.deepEqual((await response.json()).tags, ["a"]);
  });

  await t.step("kvm-manager call: JSON out, errors on stderr, exit status by kind", async () => {
    const shown = await cli(server, "get_vm", JSON.stringify({ vmId: vm.uuid }));
    assert.equal(shown.code, 0);
    assert.equal(JSON.parse(shown.out).name, vm.name);
    const missing = await cli(server, "get_vm", '{"vmId":"nope"}');
    assert.deepEqual([missing.code, missing.out], [4, ""]);
    assert.equal(JSON.parse(missing.err).message, "VM not found: nope");
    const conflict = await cli(server, "stop_vm", JSON.stringify({ vmId: vm.uuid }));
    assert.equal(conflict.code, 5);
    assert.equal((await cli(server, "get_vm", "{not json")).code, 2);
    assert.equal((await cli(server, "no_such_command")).code, 2);
    assert.equal((await cli(server, "get_vms", "{}", "--socket", "/nonexistent")).code, 3);
  });
});

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
    assert.ok(reference.includes(`id="${name}"`), name);
  }
});
