import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Address,
  bitsOf,
  contains,
  type Family,
  formatAddress,
  formatSubnet,
  isHostOf,
  lastOf,
  networkOf,
  overlaps,
  parseAddress,
  parseSubnet,
  prefixOfNetmask,
  rangeSize,
  type Subnet,
} from "./cidr.ts";

const family = fc.constantFrom<Family>(4, 6);
const address: fc.Arbitrary<Address> = family.chain((family) =>
  fc.bigInt({ min: 0n, max: (1n << BigInt(bitsOf(family))) - 1n }).map((value) => ({ family, value }))
);
const subnet: fc.Arbitrary<Subnet> = address.chain((one) =>
  fc.integer({ min: 0, max: bitsOf(one.family) }).map((prefix) => ({ ...one, prefix }))
);

Deno.test("parseAddress() reads what formatAddress() writes", () => {
  fc.assert(fc.property(address, (one) => assert.deepEqual(parseAddress(formatAddress(one)), one)));
});

Deno.test("parseSubnet() reads what formatSubnet() writes", () => {
  fc.assert(fc.property(subnet, (one) => assert.deepEqual(parseSubnet(formatSubnet(one)), one)));
});

Deno.test("formatAddress() writes IPv6 as the URL standard does", () => {
  fc.assert(fc.property(fc.ipV6(), (text) => {
    assert.equal(`[${formatAddress(parseAddress(text)!)}]`, new URL(`http://[${text}]/`).hostname);
  }));
});

Deno.test("parseAddress() refuses what is none, or two", () => {
  const wrong = [
    "",
    "1.2.3",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.4 ",
    "::1::",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7",
  ];
  for (
    const text of [...wrong, "fe80::1%eth0", "12345::", "::1.2.3", "0x1.2.3.4", "1:2:3:4:5:6:7::8", ":::"]
  ) {
    assert.equal(parseAddress(text), undefined, text);
  }
  for (const text of ["10.0.0.1", "10.0.0.1/33", "::/129", "10.0.0.1/", "10.0.0.1/8/8", "10.0.0.1/-1"]) {
    assert.equal(parseSubnet(text), undefined, text);
  }
});

Deno.test("prefixOfNetmask() takes masks alone", () => {
  for (let prefix = 0; prefix <= 32; prefix++) {
    const value = ((1n << 32n) - 1n) ^ ((1n << BigInt(32 - prefix)) - 1n);
    assert.equal(prefixOfNetmask(formatAddress({ family: 4, value })), prefix);
  }
  assert.equal(prefixOfNetmask("255.0.255.0"), undefined);
  assert.equal(prefixOfNetmask("64"), undefined);
});

Deno.test("overlaps() is symmetric, and true exactly when one contains the other's first address", () => {
  fc.assert(fc.property(subnet, subnet, (a, b) => {
    assert.equal(overlaps(a, b), overlaps(b, a));
    assert.equal(overlaps(a, b), contains(a, networkOf(b)) || contains(b, networkOf(a)));
    assert.equal(overlaps(a, a), true);
  }));
  assert.equal(overlaps(parseSubnet("10.0.0.0/24")!, parseSubnet("10.0.1.0/24")!), false);
  assert.equal(overlaps(parseSubnet("10.0.0.0/8")!, parseSubnet("10.9.1.7/24")!), true);
});

Deno.test("contains() holds the first and the last address, and not their neighbours", () => {
  fc.assert(fc.property(subnet, (one) => {
    const first = networkOf(one), last = lastOf(one);
    assert.ok(contains(one, first) && contains(one, last) && contains(one, one));
    if (first.value > 0n) assert.ok(!contains(one, { ...first, value: first.value - 1n }));
    const top = (1n << BigInt(bitsOf(one.family))) - 1n;
    if (last.value < top) assert.ok(!contains(one, { ...last, value: last.value + 1n }));
    assert.equal(rangeSize(first, last), 1n << BigInt(bitsOf(one.family) - one.prefix));
  }));
});

Deno.test("isHostOf() leaves out an IPv4 subnet's own address and its broadcast", () => {
  const one = parseSubnet("192.0.2.0/29")!;
  const hosts = Array.from({ length: 8 }, (_, index) => isHostOf(one, parseAddress(`192.0.2.${index}`)!));
  assert.deepEqual(hosts, [false, true, true, true, true, true, true, false]);
  assert.ok(isHostOf(parseSubnet("192.0.2.0/31")!, parseAddress("192.0.2.0")!));
  assert.equal(rangeSize(parseAddress("10.0.0.9")!, parseAddress("10.0.0.8")!), 0n);
});
