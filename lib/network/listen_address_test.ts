import assert from "node:assert/strict";
import { isLoopback, parseHostPort, parseListen } from "./listen_address.ts";

Deno.test("parseListen() serves TLS everywhere but on loopback, and there where it is asked for", () => {
  const of = (at: string) => {
    const { secure, hostname, port } = parseListen(at);
    return `${secure ? "tls" : "plain"} ${hostname} ${port}`;
  };
  assert.equal(of("127.0.0.1:8440"), "plain 127.0.0.1 8440");
  assert.equal(of("[::1]:8440"), "plain [::1] 8440");
  assert.equal(of("http://localhost:1"), "plain localhost 1");
  assert.equal(of("https://127.0.0.1:8440/"), "tls 127.0.0.1 8440");
  for (const host of ["0.0.0.0", "[::]", "192.0.2.1", "host.example"]) {
    assert.equal(of(`${host}:1`), `tls ${host} 1`);
  }
});

Deno.test("parseListen() refuses plain HTTP over the network, and what is no address", () => {
  for (const host of ["0.0.0.0", "[::]", "192.0.2.1", "host.example", "127.0.0.1.evil.example"]) {
    assert.throws(() => parseListen(`http://${host}:1`), /without TLS passwords/, host);
  }
  for (
    const at of [
      "",
      "8440",
      ":8440",
      "ftp://127.0.0.1:1",
      "https://",
      "127.0.0.1",
      "127.0.0.1:99999",
      "a b:1",
      "https://a:1/b",
    ]
  ) {
    assert.throws(() => parseListen(at), /is not an address/, at);
  }
});

Deno.test("isLoopback() knows this host's own addresses from the rest", () => {
  for (const own of ["localhost", "127.0.0.1", "127.255.255.254", "::1", "[::1]"]) {
    assert.equal(isLoopback(own), true, own);
  }
  const others = [
    "",
    "0.0.0.0",
    "::",
    "[::]",
    "10.0.0.1",
    "127.0.0.1.evil.example",
    "evil.127.0.0.1",
    "localhost.evil.example",
    "127.0.0",
    "127.0.0.256",
    "127.999.1.1",
    "128.0.0.1",
    "::ffff:10.0.0.1",
    "127.0.0.1 ",
  ];
  for (const other of others) assert.equal(isLoopback(other), false, other);
});

Deno.test("parseHostPort() splits host and port, and refuses the rest", () => {
  assert.deepEqual(parseHostPort("127.0.0.1:8440"), { hostname: "127.0.0.1", port: 8440 });
  assert.deepEqual(parseHostPort("[::1]:0"), { hostname: "[::1]", port: 0 });
  assert.deepEqual(parseHostPort("localhost:65535"), { hostname: "localhost", port: 65535 });
  for (
    const at of [
      "",
      ":80",
      "localhost",
      "localhost:",
      "localhost:65536",
      "localhost:-1",
      "localhost:1e3",
      "::1:80",
      "a b:80",
      "[x]:80",
      "http://a:80",
      "a:80/",
    ]
  ) {
    assert.throws(() => parseHostPort(at), /is not an address like/, at);
  }
});
