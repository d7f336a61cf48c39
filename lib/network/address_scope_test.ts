import assert from "node:assert/strict";
import { parseAddress } from "../formats/ip/cidr.ts";
import { addressReach, isReachRule, reachRefusal } from "./address_scope.ts";

const address = (text: string) => {
  const found = parseAddress(text);
  assert.ok(found, text);
  return found;
};

Deno.test("addressReach() tells public addresses from all others, unwrapping IPv4 inside IPv6", () => {
  const cases: Record<string, string> = {
    "1.1.1.1": "public",
    "172.32.0.1": "public",
    "100.128.0.1": "public",
    "0.0.0.0": "unspecified",
    "0.1.2.3": "unspecified",
    "127.0.0.1": "loopback",
    "127.255.255.254": "loopback",
    "169.254.169.254": "link-local",
    "10.1.2.3": "private",
    "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.168.0.1": "private",
    "100.64.0.1": "shared (carrier-grade NAT)",
    "224.0.0.1": "multicast",
    "255.255.255.255": "reserved",
    "198.18.0.1": "reserved",
    "192.0.0.8": "reserved",
    "2606:4700::1111": "public",
    "::": "unspecified",
    "::1": "loopback",
    "fe80::1": "link-local",
    "fec0::1": "private",
    "fd00::1": "unique-local",
    "ff02::1": "multicast",
    "2001:db8::1": "reserved",
    "100::1": "reserved",
    "4000::1": "reserved",
    "::ffff:127.0.0.1": "loopback",
    "::ffff:8.8.8.8": "public",
    "::ffff:0:127.0.0.1": "loopback",
    "::127.0.0.1": "loopback",
    "::8.8.8.8": "reserved",
    "64:ff9b::7f00:1": "loopback",
    "64:ff9b::808:808": "public",
    "64:ff9b:1::a00:1": "private",
    "64:ff9b:1::808:808": "reserved",
    "2002:7f00:1::": "loopback",
    "2002:a9fe:a9fe::1": "link-local",
    "2002:808:808::1": "public",
    // Teredo has its client's address turned: 127.0.0.1 is 80ff:fffe
    "2001:0:4136:e378:8000:63bf:80ff:fffe": "loopback",
    "2001:0:4136:e378:8000:63bf:f7f7:f7f7": "public",
    "2606:4700::5efe:10.0.0.1": "private",
    "2606:4700::200:5efe:127.0.0.1": "loopback",
  };
  for (const [text, reach] of Object.entries(cases)) assert.equal(addressReach(address(text)), reach, text);
});

Deno.test("reachRefusal() lets only through what is public or named", () => {
  const refused = (host: string, at: string, hosts: string[] = [], internet = true, privateNames = true) =>
    reachRefusal(host, address(at), { internet, hosts, privateNames });
  assert.equal(refused("deb.example", "1.1.1.1"), null);
  assert.match(refused("deb.example", "127.0.0.1")!, /127\.0\.0\.1 is a loopback address/);
  assert.match(refused("deb.example", "1.1.1.1", [], false)!, /on the internet, which is switched off/);
  assert.equal(refused("Mirror.Example.", "10.0.0.1", ["mirror.example"]), null);
  assert.equal(refused("a.site.example", "10.0.0.1", ["*.site.example"]), null);
  assert.notEqual(refused("site.example", "10.0.0.1", ["*.site.example"]), null);
  assert.notEqual(refused("evil-site.example", "10.0.0.1", ["*.site.example"]), null);
  assert.equal(refused("x", "10.9.9.9", ["10.9.0.0/16"]), null);
  assert.notEqual(refused("x", "10.8.9.9", ["10.9.0.0/16"]), null);
  assert.equal(refused("x", "fd00::5", ["fd00::5"]), null);
  // What a name leads to is up to its name server: public addresses, and private ones where that is allowed.
  const named = ["mirror.example", "*.site.example", "localhost"];
  for (const at of ["127.0.0.1", "::1", "169.254.169.254", "fe80::1", "::ffff:127.0.0.1", "198.18.0.1"]) {
    for (const host of ["mirror.example", "a.site.example", "localhost"]) {
      assert.match(refused(host, at, named)!, /which a name does not open: allow the address$/, at);
    }
    assert.doesNotMatch(refused("other.example", at, named)!, /a name/);
  }
  for (const at of ["10.0.0.1", "192.168.1.1", "100.64.0.1", "fd00::1"]) {
    assert.match(
      refused("mirror.example", at, named, true, false)!,
      /let names lead to private networks/,
      at,
    );
    assert.equal(refused("mirror.example", at, named), null, at);
  }
  assert.equal(refused("mirror.example", "1.1.1.1", named, false, false), null);
  assert.equal(refused("localhost", "127.0.0.1", ["127.0.0.1"], true, false), null);
  // An IPv4 rule does not open its IPv6 wrappings.
  assert.notEqual(refused("x", "::ffff:10.9.9.9", ["10.9.0.0/16"]), null);
  assert.notEqual(refused("x", "0.0.0.0", ["0.0.0.0/0"]), null);
  assert.notEqual(refused("x", "224.0.0.1", ["x"]), null);
});

Deno.test("isReachRule() takes hosts, domains, addresses and subnets", () => {
  for (const rule of ["mirror", "mirror.example", "*.example", "10.0.0.1", "10.0.0.0/8", "fd00::/8", "::1"]) {
    assert.equal(isReachRule(rule), true, rule);
  }
  for (const rule of ["", "*", "10.0.0.0/33", "http://x", "a b", "10.0.0", "x:80", "*.*", "-x"]) {
    assert.equal(isReachRule(rule), false, rule);
  }
});
