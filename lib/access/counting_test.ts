import assert from "node:assert/strict";
import { errorText } from "../contract/errors.ts";
import { fill } from "../i18n/fill.ts";
import { COUNTING_LINES, withoutCounts } from "./counting.ts";

Deno.test("withoutCounts() leaves nothing of a line that counts VMs, whatever is counted", () => {
  for (const line of Object.values(COUNTING_LINES)) {
    for (const count of [0, 1, 501]) assert.equal(withoutCounts(fill(line, { count, parallel: 2 })), "");
  }
});

Deno.test("withoutCounts() leaves of why a run failed what failed first", () => {
  const first = "web: It is paused.\nAsk again (2 of 7 VMs)";
  for (const code of ["BackupRunFailed", "ScheduleRunFailed"] as const) {
    assert.equal(withoutCounts(errorText(code, { failed: 3, all: 501, first })), first);
  }
});

Deno.test("withoutCounts() leaves every other text as it is", () => {
  for (const text of ["", "web: done", "At most 2 VMs are meant, I think", "12 VMs are meant well"]) {
    assert.equal(withoutCounts(text), text);
  }
});
