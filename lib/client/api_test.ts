import assert from "node:assert/strict";
import { COMMANDS } from "../contract/mod.ts";
import type { Api } from "../contract/api.ts";
import { api, ApiError, call, client, commandMethods } from "./api.ts";

const camel = (name: string) => name.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
const answering = (body: BodyInit | null, init?: ResponseInit) => () =>
  Promise.resolve(new Response(body, init));
const failure = async (transport: Parameters<typeof call>[2]): Promise<ApiError> => {
  const error = await call("get_vms", {}, transport).catch((thrown) => thrown);
  assert.ok(error instanceof ApiError, String(error));
  return error;
};

Deno.test("commandMethods() calls every command by its wire name, with its input", async () => {
  const calls: unknown[] = [];
  const methods = commandMethods((command, input) => Promise.resolve(calls.push([command, input])));
  for (const name of Object.keys(COMMANDS)) {
    await (methods[camel(name) as keyof Api] as (input: unknown) => Promise<unknown>)({ name });
  }
  assert.deepEqual(calls, Object.keys(COMMANDS).map((name) => [name, { name }]));
});

Deno.test("commandMethods() can be awaited and printed: only names of commands are methods", async () => {
  const methods = commandMethods((command) => Promise.reject(new Error(`called ${command}`)));
  // deno-lint-ignore require-await -- an async function's result is asked for `then`
  const again = await (async () => methods)();
  assert.equal(again, methods);
  assert.equal(typeof Deno.inspect(methods), "string");
});

Deno.test("call() gives the answer, and null for an empty one", async () => {
  assert.deepEqual(await call("get_vms", {}, answering("[1]")), [1]);
  assert.equal(await call("start_vm", {}, answering("null")), null);
  assert.equal(await call("start_vm", {}, answering(null, { status: 204 })), null);
});

Deno.test("call() throws what the server said no with", async () => {
  const body = { code: "VmNotFound", message: "VM not found: x", details: { vmId: "x" } };
  const error = await failure(answering(JSON.stringify(body), { status: 404 }));
  assert.deepEqual([error.code, error.message, error.details, error.status], [
    "VmNotFound",
    "VM not found: x",
    { vmId: "x" },
    404,
  ]);
});

Deno.test("call() makes an error of a refusal that says nothing", async () => {
  for (const body of ["", "null", "{}", "[]", "5", '"no"']) {
    const error = await failure(answering(body, { status: 500 }));
    assert.deepEqual([error.code, error.message, error.status], ["Internal", "HTTP 500", 500], body);
  }
});

Deno.test("call() says so when the answer is not JSON", async () => {
  const error = await failure(answering("<html>proxy</html>", { status: 502 }));
  assert.equal(error.code, "BadAnswer");
  assert.match(error.message, /not JSON \(HTTP 502\)/);
  assert.equal((await failure(answering("[1,"))).code, "BadAnswer");
});

Deno.test("call() is Unreachable when there is no answer, or the answer breaks off", async () => {
  const refused = await failure(() => Promise.reject(new TypeError("connection refused")));
  assert.equal(refused.code, "Unreachable");
  assert.match(refused.message, /connection refused/);
  const broken = new ReadableStream({
    start: (controller) => {
      controller.enqueue(new TextEncoder().encode("[1,"));
      controller.error(new TypeError("connection reset"));
    },
  });
  assert.equal((await failure(answering(broken))).code, "Unreachable");
});

Deno.test("client() posts JSON to the command's own address", async () => {
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) =>
      Response.json([
        request.method,
        new URL(request.url).pathname,
        request.headers.get("content-type"),
        await request.json(),
      ]),
  );
  const original = globalThis.fetch;
  try {
    globalThis.fetch = (input, init) => original(`http://127.0.0.1:${server.addr.port}${input}`, init);
    const answer: unknown = await api.startVm({ vmId: "a/b" });
    assert.deepEqual(answer, ["POST", "/api/v1/commands/start_vm", "application/json", { vmId: "a/b" }]);
    const empty: unknown = await client().getVms();
    assert.deepEqual(empty, ["POST", "/api/v1/commands/get_vms", "application/json", {}]);
  } finally {
    globalThis.fetch = original;
    await server.shutdown();
  }
});

Deno.test("api asks a question again that did not get through, and nothing that may have been done", async () => {
  const { fetch } = globalThis;
  let tries = 0;
  globalThis.fetch = () =>
    ++tries === 1 ? Promise.reject(new TypeError("cut off")) : Promise.resolve(Response.json([]));
  try {
    assert.deepEqual([await client().getVms(), tries], [[], 2]);
    tries = 0;
    await assert.rejects(client().startVm({ vmId: "x" }), { code: "Unreachable" });
    assert.equal(tries, 1);
  } finally {
    globalThis.fetch = fetch;
  }
});
