import assert from "node:assert/strict";
import { fullestPool } from "./fullest.ts";

Deno.test("fullestPool() is the one with the largest used share; those that do not tell are left out", () => {
  const pool = (name: string, capacityBytes?: number, availableBytes?: number) => ({
    name,
    ...(capacityBytes !== undefined && { capacityBytes }),
    ...(availableBytes !== undefined && { availableBytes }),
  });
  const pools = [pool("off"), pool("large", 1000, 500), pool("small", 10, 1), pool("empty", 0, 0)];
  assert.deepEqual(fullestPool(pools), { name: "small", usedBytes: 9, capacityBytes: 10 });
  assert.equal(fullestPool([pool("off")]), null);
});
