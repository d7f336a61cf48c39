import assert from "node:assert/strict";
import { DAY_MS } from "../duration.ts";
import { isBootTestDue } from "./boot_due.ts";

Deno.test("isBootTestDue() is never, after each run, or a week after the last test", () => {
  const now = 100 * DAY_MS;
  assert.equal(isBootTestDue("never", undefined, now), false);
  assert.equal(isBootTestDue("each-run", now, now), true);
  assert.equal(isBootTestDue("weekly", undefined, now), true);
  assert.equal(isBootTestDue("weekly", now - 6 * DAY_MS, now), false);
  assert.equal(isBootTestDue("weekly", now - 7 * DAY_MS + 60_000, now), true);
});
