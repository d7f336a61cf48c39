import assert from "node:assert/strict";
import { hasRoom, type UnderWay } from "./places.ts";

const MINUTE = 60_000;
const at = (vmId: string, toHost: string, movedAt = 0, beganAt?: number): UnderWay => ({
  vmId,
  toHost,
  movedAt,
  beganAt,
});

Deno.test("hasRoom(): two increments are under way at once", () => {
  assert.ok(hasRoom([at("a", "x")], "y", 0));
  assert.ok(!hasRoom([at("a", "x"), at("b", "y")], "z", 0));
});

Deno.test("hasRoom(): one without progress keeps those to its own host waiting alone", () => {
  const still = [at("a", "x"), at("b", "x")];
  assert.ok(!hasRoom(still, "y", 9 * MINUTE));
  assert.deepEqual([hasRoom(still, "y", 11 * MINUTE), hasRoom(still, "x", 11 * MINUTE)], [true, false]);
});

Deno.test("hasRoom(): a QEMU that does not begin its copy keeps its place for half a minute", () => {
  const stopped = [at("a", "x", 0, 1000), at("b", "x", 0, 1000)];
  assert.ok(!hasRoom(stopped, "x", 30_000));
  assert.ok(hasRoom(stopped, "x", 32_000));
});
