/** Input of the largest size from accounts without any right, and from none: each request is answered at once. */
import assert from "node:assert/strict";
import { asRoot, type Person, personWith, signedIn } from "../testbed/people.ts";
import { startServer, type TestServer } from "../testbed/server.ts";

/** Milliseconds that a request may hold the server up; the quickest of some tries counts, on a busy machine too. */
const MOST_MS = 700;
const TRIES = 4;
const KIB = 1024;
const FORM = { "content-type": "application/x-www-form-urlencoded" };

const fill = (size: number, piece: string) => piece.repeat(Math.floor(size / piece.length));

/** Somebody who is signed in, and may do nothing. */
async function withoutRights(server: TestServer): Promise<Person> {
  const password = "correct horse battery";
  await asRoot(server, "create_user", { name: "nothing", password, grants: [] });
  return await signedIn(server, "nothing", password);
}

/** A request that is hard to read. */
type Hostile = readonly [what: string, path: string, init: RequestInit];

const form = (what: string, body: string, path = "/do/set_tags"): Hostile => [
  `a form: ${what}`,
  path,
  { method: "POST", headers: FORM, body },
];

function* forms(): Generator<Hostile> {
  const dots = fill(32_000, ".");
  for (
    const path of [
      "/do/set_tags",
      "/do/create_network",
      "/do/create_vm",
      "/sign-in",
      "/preferences",
      "/setup",
    ]
  ) {
    yield form("one name of dots", `${dots}=x`, path);
    yield form(
      "five names of dots",
      Array.from({ length: 5 }, (_, index) => `${dots}${index}=x`).join("&"),
      path,
    );
    yield form("fields without number", fill(250 * KIB, "a=&"), path);
    yield form(
      "names without number",
      Array.from({ length: 25_000 }, (_, index) => `k${index}=`).join("&"),
      path,
    );
    yield form("one long name", `${fill(250 * KIB, "a")}=`, path);
    yield form("one long value", `tags=${fill(250 * KIB, "a")}`, path);
    yield form("blanks", `tags=${fill(250 * KIB, "+")}&to=${fill(1000, "%2F")}`, path);
    yield form("quotes", `command=${fill(100 * KIB, "'")}&tags=${fill(100 * KIB, "%22")}`, path);
    yield form("units", `${fill(200 * KIB, ":")}=`, path);
    yield form("escapes", fill(250 * KIB, "%"), path);
  }
  yield [
    "a form: parts without number",
    "/do/set_tags",
    {
      method: "POST",
      headers: { "content-type": "multipart/form-data; boundary=x" },
      body: `${fill(200 * KIB, '--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n\r\n')}--x--\r\n`,
    },
  ];
}

const LONG = 7000;
/** Pieces that are hard for readers of lists, dates, numbers and paths. */
const PIECES = [
  " ",
  ",",
  ";",
  "=",
  "a=b; ",
  ".",
  "/",
  "%2F",
  '"',
  "en,",
  "en;q=0.1,",
  "1-1,",
  "../",
  "-",
  "[",
  "::",
];
const HEADERS = [
  "cookie",
  "accept",
  "accept-language",
  "authorization",
  "content-type",
  "content-encoding",
  "if-none-match",
  "if-match",
  "range",
  "content-range",
  "last-event-id",
  "x-forwarded-for",
  "forwarded",
  "referer",
  "user-agent",
];

function* headers(): Generator<Hostile> {
  for (const name of HEADERS) {
    for (const piece of PIECES) {
      const headers = { [name]: `a${fill(LONG, piece)}b` };
      yield [`${name}: ${piece}`, "/vms", { headers }];
      yield [`${name}: ${piece}`, "/api/v1/commands/get_vms", { method: "POST", headers }];
    }
  }
}

function* queries(): Generator<Hostile> {
  for (
    const path of [
      "/vms",
      "/sign-in",
      "/do/set_tags",
      "/monitoring",
      "/api/v1/vms",
      "/api/v1/events",
      "/tasks",
    ]
  ) {
    for (const piece of ["a&", "a=b&", ".", "to=/", "q=%20&", "tag=a,", "%25", "+", "[0]"]) {
      yield [
        `query ${piece}`,
        `${path}?q=${fill(LONG, piece)}`,
        path.startsWith("/do/") ? { method: "POST", headers: FORM, body: "" } : {},
      ];
    }
  }
}

function* bodies(): Generator<Hostile> {
  const keys = `{${Array.from({ length: 60_000 }, (_, index) => `"key${index}":1`).join(",")}}`;
  for (
    const command of ["set_tags", "create_network", "create_vm", "get_session", "sign_in", "batch_stop_vms"]
  ) {
    for (
      const [what, body] of Object.entries({
        keys,
        config: `{"config":${keys}}`,
        list: `{"vmIds":[${fill(900 * KIB, "1,")}1]}`,
      })
    ) {
      yield [
        `JSON: ${what}`,
        `/api/v1/commands/${command}`,
        { method: "POST", headers: { "content-type": "application/json" }, body },
      ];
    }
  }
}

for (const [kind, requests] of Object.entries({ forms, headers, queries, bodies })) {
  Deno.test(`no ${kind} of somebody without any right, or of no account, hold the server up`, async () => {
    await using server = await startServer({ uri: "test:///default", logLevel: "error" });
    const person = await withoutRights(server);
    const nobody = { fetch: (path: string, init: RequestInit) => fetch(server.url + path, init) };
    for (const [what, path, init] of requests()) {
      for (const who of [person, nobody]) {
        const times: number[] = [];
        do {
          const started = performance.now();
          const response = await who.fetch(path, init).catch((error: unknown) => {
            // Heads that are too large are hung up on
            if (!(error instanceof TypeError)) throw error;
          });
          times.push(performance.now() - started);
          await response?.body?.cancel();
          assert.ok((response?.status ?? 400) < 500, `${what} at ${path}: ${response?.status}`);
        } while (Math.min(...times) > MOST_MS && times.length < TRIES);
        assert.ok(Math.min(...times) <= MOST_MS, `${what} at ${path}: ${times.map(Math.round)} ms`);
      }
    }
  });
}

Deno.test("a form of another type is 415, for people and for scripts", async () => {
  await using server = await startServer({ uri: "test:///default", logLevel: "error" });
  const person = await withoutRights(server);
  for (const type of ["application/json", "text/plain", "application/octet-stream", ""]) {
    for (const path of ["/do/set_tags", "/sign-in", "/preferences"]) {
      for (const accept of ["text/html", "application/json"]) {
        const response = await person.fetch(path, {
          method: "POST",
          headers: { accept, ...(type !== "" && { "content-type": type }) },
          body: new TextEncoder().encode("{}"),
        });
        const text = await response.text();
        assert.equal(response.status, 415, `${path} ${type} ${accept}: ${text.slice(0, 200)}`);
        if (path === "/do/set_tags" && accept === "application/json") {
          assert.equal(JSON.parse(text).code, "FormExpected");
        }
      }
    }
  }
  const broken = await person.fetch("/do/set_tags", {
    method: "POST",
    headers: { "content-type": "multipart/form-data" },
    body: "--x",
  });
  await broken.body?.cancel();
  assert.equal(broken.status, 400);
});

Deno.test("a token that may do nothing gets no page and no events, and no failure of ours", async () => {
  await using server = await startServer({ uri: "test:///default", logLevel: "error" });
  const token = await personWith(server, "token", []);
  for (const path of ["/", "/vms", "/settings/account", "/api/v1/events"]) {
    const response = await token.fetch(path);
    await response.body?.cancel();
    assert.equal(response.status, 403, path);
  }
});
