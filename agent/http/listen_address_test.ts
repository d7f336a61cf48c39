import assert from "node:assert/strict";
import { parseListen } from "./listen_address.ts";

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
