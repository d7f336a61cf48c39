import assert from "node:assert/strict";
import { withDhcp } from "./dhcp_range.ts";

const ranges = (address: string, mode: "nat" | "open" | "isolated" = "nat") =>
  withDhcp({ name: "lab", mode, ipv4: { address } }).ipv4!.ranges;

Deno.test("withDhcp() gives away all of a subnet but the host's address", () => {
  assert.deepEqual(ranges("10.5.0.1/24"), [{ start: "10.5.0.2", end: "10.5.0.254" }]);
  assert.deepEqual(ranges("10.5.0.254/24", "isolated"), [{ start: "10.5.0.1", end: "10.5.0.253" }]);
  assert.deepEqual(ranges("10.5.0.100/24"), [{ start: "10.5.0.101", end: "10.5.0.254" }]);
  assert.deepEqual(ranges("10.5.0.1/30"), [{ start: "10.5.0.2", end: "10.5.0.2" }]);
  assert.deepEqual(ranges("10.5.0.1/16"), [{ start: "10.5.0.2", end: "10.5.255.254" }]);
});

Deno.test("withDhcp() leaves alone what says its ranges, and what has none", () => {
  const said = { name: "lab", mode: "nat", ipv4: { address: "10.5.0.1/24", ranges: [] } } as const;
  assert.equal(withDhcp(said as never), said);
  assert.equal(ranges("10.5.0.1/24", "open"), undefined);
  assert.equal(ranges("10.0.0.1/8"), undefined);
  assert.equal(ranges("10.5.0.1/31"), undefined);
  assert.equal(ranges("nonsense"), undefined);
  assert.equal(ranges("fd00::1/64"), undefined);
});
