import assert from "node:assert/strict";
import { TestClock } from "./testing.ts";
import { clientSubnet, isShared, Rate } from "./limits.ts";

Deno.test("Rate.take() lets a burst through, then so many a second", async () => {
  const clock = new TestClock();
  const rate = new Rate({ perSecond: 10, burst: 3 }, clock);
  const takes = (count: number) => Array.from({ length: count }, () => rate.take("a")).filter(Boolean).length;
  assert.equal(takes(5), 3);
  assert.ok(rate.take("b"), "others are not held up");
  await clock.advance(100);
  assert.equal(takes(5), 1);
  await clock.advance(150);
  assert.equal(takes(5), 1, "half a one is none");
  await clock.advance(50);
  assert.equal(takes(5), 1, "and is not lost");
  await clock.advance(1e9);
  assert.equal(takes(5), 3, "never more than a burst");
});

Deno.test("Rate.take() remembers a bounded number of them", () => {
  const rate = new Rate({ perSecond: 0, burst: 1 }, new TestClock());
  assert.ok(rate.take("first") && !rate.take("first"));
  for (let at = 0; at < 10_000; at++) rate.take(`${at}`);
  assert.ok(rate.take("first"), "forgotten");
});

Deno.test("clientSubnet() is an IPv4 address, or an IPv6 network of 64 bits", () => {
  assert.equal(clientSubnet("192.0.2.1"), "192.0.2.1");
  for (const address of ["2001:db8::1", "2001:0DB8:0::ffff", "2001:db8:0:0:1:2:3:4", "2001:db8::1%eth0"]) {
    assert.equal(clientSubnet(address), "2001:db8::", address);
  }
  assert.notEqual(clientSubnet("2001:db8:0:1::1"), clientSubnet("2001:db8::1"));
  assert.equal(clientSubnet("::1"), "::");
});

Deno.test("isShared() knows what stands for everyone on the host", () => {
  assert.deepEqual(["", "127.0.0.1", "::1", "192.0.2.1", "fd00::1"].map(isShared), [
    true,
    true,
    true,
    false,
    false,
  ]);
});
