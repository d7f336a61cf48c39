import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { ContractError } from "../../lib/contract/errors.ts";
import { basePath, type ProxiedRequest, ProxyHeaders, proxySubnet } from "./proxy_headers.ts";

/** A request as node:http has it. */
function incoming(url: string, headers: Record<string, string>, remoteAddress = "10.0.0.1"): ProxiedRequest {
  const socket = { remoteAddress } as IncomingMessage["socket"];
  return { url, headers: { ...headers }, rawHeaders: Object.entries(headers).flat(), socket };
}
const PROXIES = ["10.0.0.1", "10.1.0.0/16", "fd00::/8"].map(proxySubnet);
const arrivals = new ProxyHeaders(PROXIES, "/kvm");

/** A request from the proxy at 10.0.0.1 after its headers were read. */
function arrived(url: string, headers: Record<string, string>, from?: string) {
  const request = incoming(url, { host: "127.0.0.1:8440", ...headers }, from);
  const address = arrivals.arrive(request);
  return { address, url: request.url, host: request.headers.host, raw: request.rawHeaders[1] };
}
const HTTPS = { "x-forwarded-proto": "https" };

Deno.test("Arrivals.arrive() believes the proxies of the settings, and no other sender", () => {
  const headers = { ...HTTPS, "x-forwarded-for": "192.0.2.7", "x-forwarded-host": "kvm.example" };
  const known = {
    address: "192.0.2.7",
    url: "https://kvm.example/vms",
    host: "kvm.example",
    raw: "kvm.example",
  };
  for (const from of ["10.0.0.1", "::ffff:10.0.0.1", "10.1.2.3", "fd00::2"]) {
    assert.deepEqual(arrived("/kvm/vms", headers, from), known, from);
  }
  for (const from of ["10.0.0.2", "192.0.2.1", "127.0.0.1", "fe80::1", ""]) {
    const { address, url, host } = arrived("/vms", headers, from);
    assert.deepEqual([address, url, host], [from, "/vms", "127.0.0.1:8440"], from);
  }
  assert.equal(new ProxyHeaders().arrive(incoming("/", headers)), "10.0.0.1", "there are none by default");
});

Deno.test("Arrivals.arrive() takes the right-most hop that is no proxy: what is left of it anybody can write", () => {
  const of = (list: string) => arrived("/", { ...HTTPS, "x-forwarded-for": list }).address;
  assert.equal(of("1.2.3.4, 192.0.2.7"), "192.0.2.7");
  assert.equal(of("1.2.3.4, 192.0.2.7, 10.1.0.5"), "192.0.2.7");
  assert.equal(of("[2001:db8::1]:4711"), "2001:db8::1");
  assert.equal(of("192.0.2.7:4711"), "192.0.2.7");
  assert.equal(of("::ffff:192.0.2.7"), "192.0.2.7");
  // Nothing that is an address: the proxy itself, and never what was written.
  for (const list of ["", "unknown", "192.0.2.7, evil", "<script>", "10.1.0.5", ","]) {
    assert.equal(of(list), "10.0.0.1", list);
  }
  assert.equal(of(`${"9.9.9.9, ".repeat(5000)}10.1.0.5`), "9.9.9.9", "a long list is cut");
});

Deno.test("Arrivals.arrive() takes the nearest proxy's word for host and scheme", () => {
  const { url, host } = arrived("/", {
    "x-forwarded-proto": "http, https",
    "x-forwarded-host": "evil.example, kvm.example",
  });
  assert.deepEqual([url, host], ["https://kvm.example/", "kvm.example"]);
});

Deno.test("Arrivals.arrive() refuses what came to a proxy in the clear, but from the host itself", () => {
  const plain = (host: string, more = {}) => () => arrived("/", { "x-forwarded-host": host, ...more });
  const refused = (error: unknown) => error instanceof ContractError && error.code === "PlainHttp";
  assert.throws(plain("kvm.example"), refused);
  assert.throws(plain("kvm.example:80", { "x-forwarded-proto": "https, http" }), refused);
  assert.throws(plain("127.0.0.1.evil.example"), refused);
  for (const host of ["127.0.0.1:9000", "localhost", "[::1]:80"]) assert.equal(plain(host)().url, "/", host);
});

Deno.test("Arrivals.arrive() takes the base path away, whether the proxy did so or not", () => {
  const to = (url: string) => arrived(url, {}, "192.0.2.9").url;
  assert.deepEqual(["/kvm", "/kvm/", "/kvm/vms?a=/kvm", "/kvm?x"].map(to), ["/", "/", "/vms?a=/kvm", "/?x"]);
  assert.deepEqual(["/", "/vms", "/kvmx", "/kvm-2/x", "/x/kvm/"].map(to), [
    "/",
    "/vms",
    "/kvmx",
    "/kvm-2/x",
    "/x/kvm/",
  ]);
  assert.equal(new ProxyHeaders().arrive(incoming("/", {})), "10.0.0.1");
});

Deno.test("Arrivals.arrive() judges an address in absolute form by its path alone", () => {
  const to = (url: string) => arrived(url, {}, "192.0.2.9").url;
  assert.equal(to("http://evil.example/kvm/api/v1/vms"), "/api/v1/vms");
  assert.equal(to("HTTPS://evil.example"), "/");
  assert.equal(to("https://evil.example?x"), "/?x");
});

Deno.test("proxySubnet() and basePath() refuse what they do not understand", () => {
  for (const text of ["", "proxy.example", "10.0.0.0/33", "10.0.0/8", "*", "fe80::1%eth0"]) {
    assert.throws(() => proxySubnet(text), /no address or subnet/, text);
  }
  assert.deepEqual(["/", "", "/kvm", "/kvm/", "/a/b-c_d.e"].map(basePath), [
    "",
    "",
    "/kvm",
    "/kvm",
    "/a/b-c_d.e",
  ]);
  for (
    const text of ["kvm", "//evil.example", "/a//b", "/..", "/a/../b", "/a b", "/a?b", "/<a>", "/%2e", "/."]
  ) {
    assert.throws(() => basePath(text), /is no path like/, text);
  }
});
