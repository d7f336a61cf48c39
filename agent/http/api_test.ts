import assert from "node:assert/strict";
import fc from "fast-check";
import { COMMANDS, ERRORS } from "../../lib/contract/mod.ts";
import { REST_ROUTES } from "../../lib/contract/rest.ts";
import { isMaking } from "../../lib/rest/resources.ts";
import { OWN_SAMPLES, SAMPLES } from "../../lib/contract/testing.ts";
import { nobody, type Principal } from "../access.ts";
import { localPrincipal } from "../testing.ts";
import { createDispatch, type Handlers } from "../dispatch.ts";
import { EventHub } from "../events/hub.ts";
import { createApi } from "./api.ts";
import { ANONYMOUS_BODY_LIMIT } from "./body.ts";

/** The door before handlers that give back what they were called with. */
function door(principal: Principal = localPrincipal("socket")) {
  const calls: [string, unknown][] = [];
  const handlers = Object.fromEntries(
    Object.keys(COMMANDS).map((name) => [name, (input: unknown) => {
      calls.push([name, input]);
      return { name, input };
    }]),
  ) as unknown as Handlers;
  const dispatch = createDispatch({
    formerNames: () => [],
    route: (command) => ({ handler: handlers[command] }),
    record: () => {},
    vm: () => undefined,
    vmsOn: () => [],
    hostOf: () => "local",
    vms: () => [],
    requireConfirmed: () => Promise.resolve(),
    grantedGroups: () => new Set(),
    settled: () => Promise.resolve(),
  });
  const api = createApi({
    dispatch,
    hub: new EventHub(),
    version: "1.2.3",
    vms: () => [],
    places: { vm: () => undefined, vmsOn: () => [] },
    now: Date.now,
  });
  const send = (
    method: string,
    path: string,
    body?: string,
    headers: Record<string, string> = { "content-type": "application/json" },
  ) =>
    api(
      new Request(`http://127.0.0.1:8440${path}`, { method, headers, ...(body !== undefined && { body }) }),
      principal,
    );
  return { calls, send };
}
type Answer = { name?: string; input?: unknown; code?: string; message?: string };
const read = async (
  response: Response,
): Promise<[number, Answer]> => [response.status, await response.json()];
const V1 = "/api/v1";

Deno.test("createApi() reads no long body of somebody who is not signed in", async () => {
  const { calls, send } = door(nobody("api"));
  const keys = Array.from({ length: 80_000 }, (_, index) => `"k${index}":1`);
  const long = `{${keys.join(",")}}`, short = JSON.stringify({ name: "a", password: "b" });
  for (const path of [`${V1}/commands/sign_in`, `${V1}/session`]) {
    const [status, { code, message }] = await read(await send("POST", path, long));
    assert.deepEqual([status, code], [413, "BodyTooLarge"], path);
    assert.match(message!, new RegExp(` ${ANONYMOUS_BODY_LIMIT} bytes`));
    assert.equal((await send("POST", path, short)).status, 200);
  }
  assert.equal(calls.length, 2);
});

Deno.test("createApi() has every command at its route and by its name, and both are one", async () => {
  const { send } = door();
  // What has to be encoded in a path
  const shared: Record<string, unknown> = {
    ...SAMPLES,
    vmId: "u 1",
    vmIds: ["u"],
    pool: "p 1",
    volume: "v 1",
    config: { name: "web" },
  };
  // What has content as its body is in tests/system/volume_content_test.ts.
  const plain = REST_ROUTES.filter(({ command }) => command.content === undefined);
  for (const { name, command, method, path, pathFields } of plain) {
    const { required = [] } = command.input as { required?: string[] };
    const sample: Record<string, unknown> = { ...shared, ...OWN_SAMPLES[name] };
    const input = Object.fromEntries(required.map((field) => [field, sample[field]]));
    const rest = Object.fromEntries(
      required.filter((field) => !pathFields.includes(field)).map((field) => [field, sample[field]]),
    );
    const place = path.replace(/\{(\w+)\}/g, (_place, field) => encodeURIComponent(String(sample[field])));
    const inQuery = method === "GET" || method === "DELETE";
    const query = inQuery ? `?${new URLSearchParams(rest as Record<string, string>)}` : "";
    const body = inQuery ? undefined : JSON.stringify(rest);
    const status = isMaking(name) ? 201 : 200;
    assert.deepEqual(await read(await send(method, V1 + place + query, body)), [status, { name, input }]);
    assert.deepEqual(await read(await send("POST", `${V1}/commands/${name}`, JSON.stringify(input))), [200, {
      name,
      input,
    }]);
  }
});

Deno.test("createApi() answers as JSON that nothing may keep", async () => {
  const response = await door().send("GET", `${V1}/vms`);
  assert.deepEqual([response.headers.get("content-type"), response.headers.get("cache-control")], [
    "application/json",
    "no-store",
  ]);
  await response.body?.cancel();
});

Deno.test("createApi() reads query fields as their schema wants them", async () => {
  const input = async (query: string) =>
    (await read(await door().send("GET", `${V1}/activity${query}`)))[1].input;
  assert.deepEqual(await input("?limit=5&vmId=7"), { limit: 6, vmId: "7" }); // one more tells whether there are more
  assert.deepEqual((await read(await door().send("DELETE", `${V1}/vms/a?deleteDisks`)))[1].input, {
    vmId: "a",
    deleteDisks: true,
  });
  assert.deepEqual((await read(await door().send("DELETE", `${V1}/vms/a?deleteDisks=0`)))[1].input, {
    vmId: "a",
    deleteDisks: false,
  });
});

Deno.test("createApi() names the field that is wrong", async () => {
  const table: [string, string, string | undefined, RegExp][] = [
    ["GET", "/activity?limit=x", undefined, /limit must be a whole number/],
    ["GET", "/activity?limit=501", undefined, /limit must be at most 500/],
    ["GET", "/activity?nonsense=1", undefined, /unknown field "nonsense"/],
    ["GET", "/activity?__proto__=1", undefined, /unknown field "__proto__"/],
    ["GET", "/activity?constructor=1", undefined, /unknown field "constructor"/],
    ["GET", "/activity?limit=1&limit=2", undefined, /limit was given twice/],
    ["GET", "/vms/a?vmId=b", undefined, /vmId was given twice/],
    ["DELETE", "/vms/a?deleteDisks=yes", undefined, /deleteDisks must be true or false/],
    ["PUT", "/vms/a/tags", '{"vmId":"b","tags":[]}', /vmId was given twice/],
    ["PUT", "/vms/a/tags?tags=x", '{"tags":[]}', /PUT takes its fields from the body, not the query/],
    ["PUT", "/vms/a/tags", "[]", /the body must be a JSON object/],
    ["PUT", "/vms/a/tags", "null", /the body must be a JSON object/],
    ["PUT", "/vms/a/tags", '{"tags":[],"__proto__":{"a":1}}', /unknown field "__proto__"/],
    ["PUT", "/vms/a/tags", "{}", /missing field tags/],
    ["POST", "/commands/get_vm", "[]", /the input must be an object with fields/],
    ["POST", "/commands/get_vm", '{"vmId":"a","vmid":"b"}', /unknown field "vmid"/],
    ["GET", `/vms/${"x".repeat(129)}`, undefined, /vmId must have at most 128/],
  ];
  for (const [method, path, body, text] of table) {
    const [status, { code, message }] = await read(await door().send(method, V1 + path, body));
    assert.deepEqual([status, code], [400, "InvalidInput"], path);
    assert.match(message!, text);
  }
});

Deno.test("createApi() knows no command that every object has by itself", async () => {
  for (
    const name of [
      "constructor",
      "__proto__",
      "toString",
      "hasOwnProperty",
      "%5F%5Fproto%5F%5F",
      "get_vms%00",
      "..%2Fx",
      "GET_VMS",
    ]
  ) {
    const [status, { code }] = await read(await door().send("POST", `${V1}/commands/${name}`, "{}"));
    assert.deepEqual([status, code], [404, "UnknownCommand"], name);
  }
});

Deno.test("createApi() answers 404 for no place, and 405 with Allow for another method", async () => {
  for (
    const path of [
      "",
      "/",
      "/nothing",
      "/vms/a/b/c",
      "/commands",
      "/commands/",
      "/VMS",
      "/../../etc/passwd",
      "/openapi.yaml",
    ]
  ) {
    const [status, { code }] = await read(await door().send("GET", V1 + path));
    assert.deepEqual([status, code], [404, "NotFound"], path);
  }
  const table: [string, string, string][] = [
    ["PUT", "/vms", "GET, POST, HEAD, OPTIONS"],
    ["DELETE", "/vms/a/start", "POST, OPTIONS"],
    ["PUT", "/vms/a", "GET, DELETE, PATCH, HEAD, OPTIONS"],
    ["POST", "/users/a", "GET, PATCH, DELETE, HEAD, OPTIONS"],
    ["GET", "/commands/get_vms", "POST, OPTIONS"],
    ["POST", "/openapi.json", "GET, HEAD, OPTIONS"],
    ["DELETE", "/events", "GET, HEAD, OPTIONS"],
  ];
  for (const [method, path, allow] of table) {
    const response = await door().send(method, V1 + path);
    assert.deepEqual([response.status, response.headers.get("allow")], [405, allow], path);
    assert.equal((await response.json()).code, "MethodNotAllowed");
    const options = await door().send("OPTIONS", V1 + path);
    assert.deepEqual([options.status, options.headers.get("allow"), await options.text()], [204, allow, ""]);
  }
});

Deno.test("createApi() describes itself, and answers HEAD like GET", async () => {
  const [status, description] = await read(await door().send("GET", `${V1}/openapi.json`));
  assert.deepEqual([status, (description as { info: { version: string } }).info.version], [200, "1.2.3"]);
  const head = await door().send("HEAD", `${V1}/vms`);
  assert.deepEqual([head.status, await head.text()], [200, ""]);
});

Deno.test("createApi() gives an answer of the contract to any request: no 500, no stack", async () => {
  const { send } = door();
  const word = fc.oneof(
    fc.constantFrom(
      "vms",
      "commands",
      "get_vms",
      "start_vm",
      "batch",
      "start",
      "activity",
      "events",
      "..",
      "%2e%2e",
      "%ff",
      "%00",
      "",
      "__proto__",
      "constructor",
      ":vmId",
      "*",
    ),
    fc.webSegment(),
    fc.string({ unit: "binary", maxLength: 8 }).map((text) => encodeURIComponent(text.toWellFormed())),
  );
  const query = fc.oneof(
    fc.constant(""),
    fc.webQueryParameters().map((text) => `?${text}`),
    fc.constantFrom("?limit=1e999", "?limit=-0", "?a&a", "?__proto__=x", "?vmId[]=1"),
  );
  const body = fc.oneof(
    fc.constant(undefined),
    fc.json(),
    fc.string({ unit: "binary" }),
    fc.constantFrom(
      '{"vmId":{}}',
      '{"vmIds":[null]}',
      "[".repeat(5000) + "]".repeat(5000),
      '{"__proto__":null}',
      '"',
      "1e999",
    ),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "PROPFIND", "QUERY"),
      fc.array(word, { maxLength: 5 }),
      query,
      body,
      fc.constantFrom("application/json", "text/plain", "", "application/json; charset=utf-16"),
      async (method, words, query, body, type) => {
        const sent = method === "GET" || method === "HEAD" ? undefined : body;
        const response = await send(method, `${V1}/${words.join("/")}${query}`, sent, {
          "content-type": type,
        });
        if (response.headers.get("content-type")?.startsWith("text/event-stream")) {
          return await response.body?.cancel();
        }
        const text = await response.text();
        assert.ok(response.status < 500, `${response.status} ${text}`);
        assert.doesNotMatch(text, /_test\.ts|\.ts:\d| {4}at |TypeError|RangeError/);
        if (response.ok || method === "HEAD") return;
        const { code, message } = JSON.parse(text);
        assert.ok(Object.hasOwn(ERRORS, code) && typeof message === "string" && message.length < 2000, text);
        assert.equal(ERRORS[code as keyof typeof ERRORS].status, response.status);
      },
    ),
    { numRuns: 1500 },
  );
});
