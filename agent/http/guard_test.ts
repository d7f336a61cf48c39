import assert from "node:assert/strict";
import { setNonce } from "../../lib/fresh/nonce.ts";
import { ContractError, type ErrorCode } from "../../lib/contract/errors.ts";
import { errorResponse, guard, loopbackHosts, refusalResponse, secured } from "./guard.ts";

const HOSTS = loopbackHosts(8440);
const OK = "127.0.0.1:8440";

/** The gate's refusal of a request; undefined when it lets it pass. */
function verdict(method: string, path: string, headers: Record<string, string>): ErrorCode | undefined {
  try {
    guard(new Request(`http://${OK}${path}`, { method, headers }), HOSTS);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof ContractError, String(error));
    return error.code;
  }
}

Deno.test("guard() answers for this server's own host names alone (DNS rebinding)", () => {
  for (const host of [OK, "localhost:8440", "LocalHost:8440", "[::1]:8440"]) {
    assert.equal(verdict("GET", "/", { host }), undefined, host);
  }
  const foreign = [
    "",
    "127.0.0.1",
    "localhost",
    "127.0.0.1:8441",
    "127.0.0.1:84400",
    "127.0.0.1:8440.evil.example",
    "evil.example",
    "evil.example:8440",
    "localhost.evil.example:8440",
    "xlocalhost:8440",
    "localhost.:8440",
    "127.0.0.1:8440@evil.example",
    "evil@127.0.0.1:8440",
    "::1:8440",
    "0.0.0.0:8440",
    "2130706433:8440",
    "127.1:8440",
    "127.0.0.1:08440",
    "127.0.0.1:8440, x",
  ];
  for (const host of foreign) assert.equal(verdict("GET", "/", { host }), "ForeignHost", host);
  assert.equal(verdict("GET", "/", {}), "ForeignHost");
});

Deno.test("guard() takes writes and API calls from its own origin alone (threat 14)", () => {
  const foreign = [
    "null",
    "",
    "http://evil.example",
    `http://${OK}.evil.example`,
    `http://evil${OK}`,
    "http://evil.example:8440",
    "http://127.0.0.1",
    "http://127.0.0.1:8441",
    "http://127.0.0.1:84400",
    `http://${OK}/`,
    `http://${OK}/path`,
    `ws://${OK}`,
    `ftp://${OK}`,
    OK,
    `//${OK}`,
    `http://user@${OK}`,
    `http://${OK}@evil.example`,
    `http://${OK} http://evil.example`,
    "http://localhost:8440",
    "file://",
    "chrome-extension://abc",
    `HTTP://${OK}`,
  ];
  for (
    const [method, path] of [["POST", "/"], ["PUT", "/x"], ["DELETE", "/x"], ["PATCH", "/x"], [
      "POST",
      "/api/v1/x",
    ], ["GET", "/api/v1/vms"]] as const
  ) {
    assert.equal(verdict(method, path, { host: OK, origin: `http://${OK}` }), undefined);
    assert.equal(verdict(method, path, { host: OK }), undefined, "a program that is no browser");
    for (const origin of foreign) {
      assert.equal(verdict(method, path, { host: OK, origin }), "ForeignOrigin", origin);
    }
  }
  assert.equal(verdict("POST", "/", { host: "localhost:8440", origin: "http://localhost:8440" }), undefined);
});

Deno.test("guard() lets pages be opened from anywhere: a link is no attack", () => {
  for (const method of ["GET", "HEAD"]) {
    assert.equal(verdict(method, "/vms", { host: OK, "sec-fetch-site": "cross-site" }), undefined);
    assert.equal(verdict(method, "/vms", { host: OK, origin: "http://evil.example" }), undefined);
  }
});

Deno.test("guard() goes by Sec-Fetch-Site where a browser sends no Origin", () => {
  const table: [string, ErrorCode | undefined][] = [
    ["same-origin", undefined],
    ["none", undefined],
    ["same-site", "ForeignOrigin"],
    ["cross-site", "ForeignOrigin"],
    ["", "ForeignOrigin"],
    ["SAME-ORIGIN", "ForeignOrigin"],
    ["same-origin, cross-site", "ForeignOrigin"],
    ["nonsense", "ForeignOrigin"],
  ];
  for (const [site, expected] of table) {
    assert.equal(verdict("POST", "/", { host: OK, "sec-fetch-site": site }), expected, site);
    assert.equal(verdict("GET", "/api/v1/vms", { host: OK, "sec-fetch-site": site }), expected, site);
  }
  assert.equal(
    verdict("POST", "/", { host: OK, origin: `http://${OK}`, "sec-fetch-site": "cross-site" }),
    "ForeignOrigin",
  );
});

Deno.test("guard() upgrades to a socket for its own origin alone, and never without one (threat 12)", () => {
  const upgrade = { host: OK, upgrade: "websocket" };
  assert.equal(verdict("GET", "/console", { ...upgrade, origin: `http://${OK}` }), undefined);
  assert.equal(
    verdict("GET", "/console", { ...upgrade, origin: `https://${OK}` }),
    "ForeignOrigin",
    "the scheme counts",
  );
  assert.equal(verdict("GET", "/console", upgrade), "ForeignOrigin");
  for (
    const origin of [
      "null",
      "",
      "http://evil.example",
      `http://${OK}.evil.example`,
      "http://127.0.0.1:8441",
      `ws://${OK}`,
    ]
  ) {
    assert.equal(verdict("GET", "/console", { ...upgrade, origin }), "ForeignOrigin", origin);
  }
});

Deno.test("guard() does not repeat more than a bit of what was sent", () => {
  const long = "x".repeat(10_000);
  for (const headers of [{ host: long }, { host: OK, origin: long }, { host: OK, "sec-fetch-site": long }]) {
    assert.throws(
      () => guard(new Request(`http://${OK}/api/v1/x`, { headers }), HOSTS),
      (error) => error instanceof ContractError && !error.message.includes("x".repeat(129)),
    );
  }
});

Deno.test("loopbackHosts() leaves the port out where browsers do", () => {
  assert.deepEqual([...loopbackHosts(80)].toSorted(), [
    "127.0.0.1",
    "127.0.0.1:80",
    "[::1]",
    "[::1]:80",
    "localhost",
    "localhost:80",
  ]);
  assert.ok(loopbackHosts(8440, "127.0.0.2").has("127.0.0.2:8440"));
});

Deno.test("secured() forbids inline, foreign and framed content on every answer, and keeps the rest of it", async () => {
  const answer = secured(
    new Response("x", { status: 201, headers: { "content-type": "text/html", "x-frame-options": "ALLOW" } }),
  );
  assert.deepEqual([answer.status, await answer.text(), answer.headers.get("content-type")], [
    201,
    "x",
    "text/html",
  ]);
  const policy = answer.headers.get("content-security-policy")!;
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /unsafe|\*|https?:/);
  assert.equal(answer.headers.get("x-frame-options"), "DENY");
  assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
  assert.equal(secured(new Response(null, { status: 304 })).status, 304);
});

Deno.test("secured() lets the scripts run that carry the page's nonce, and no text that is none", () => {
  const policyOf = (nonce?: string) => {
    const response = new Response("x");
    if (nonce !== undefined) setNonce(response, nonce);
    return /script-src ([^;]*)/.exec(secured(response).headers.get("content-security-policy")!)![1];
  };
  const nonce = "0123456789abcdef".repeat(2);
  assert.equal(policyOf(), "'self'");
  assert.equal(policyOf(nonce), `'self' 'nonce-${nonce}'`);
  assert.equal(policyOf("x' *"), "'self'");
});

Deno.test("errorResponse() is the error's status and JSON, never cached", async () => {
  const response = errorResponse(new ContractError("VmNotFound", { vmId: "<x>" }));
  assert.deepEqual([
    response.status,
    response.headers.get("cache-control"),
    response.headers.get("content-type"),
  ], [404, "no-store", "application/json"]);
  assert.deepEqual(await response.json(), {
    code: "VmNotFound",
    message: "VM not found: <x>",
    details: { vmId: "<x>" },
  });
});

Deno.test("guard() names the proxy where a browser knows of one site alone", () => {
  const from = (headers: Record<string, string>) =>
    verdict("POST", "/sign-in", { host: OK, "content-length": "0", ...headers });
  const origin = "https://kvm.example.test:8444";
  assert.equal(from({ origin, "sec-fetch-site": "same-origin" }), "ProxyChangesHost");
  for (const site of ["cross-site", "same-site", "none"]) {
    assert.equal(from({ origin, "sec-fetch-site": site }), "ForeignOrigin", site);
  }
  assert.equal(from({ origin }), "ForeignOrigin");
});

Deno.test("refusalResponse() is a page for a browser, and JSON for programs", async () => {
  const error = new ContractError("ForeignHost", { host: "<script>" });
  const asked = (path: string, accept: string) =>
    refusalResponse(error, new Request(`http://${OK}${path}`, { headers: { accept } }));
  const page = asked("/vms", "text/html,application/xhtml+xml");
  assert.deepEqual([page.status, page.headers.get("content-type")], [421, "text/html; charset=utf-8"]);
  const html = await page.text();
  assert.match(html, /--host-name/);
  assert.doesNotMatch(html, /<script>/);
  for (const [path, accept] of [["/api/v1/vms", "text/html"], ["/vms", "*/*"]] as const) {
    assert.equal((await asked(path, accept).json() as { code: string }).code, "ForeignHost");
  }
});
