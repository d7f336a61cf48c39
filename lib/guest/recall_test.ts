/** Lines that are brought back. */
import assert from "node:assert/strict";
import { NO_LINES, recall, remember } from "./recall.ts";

Deno.test("lines come back from the newest on, and what was being typed comes back last", () => {
  const known = ["uname -a", "id", "id"].reduce(remember, NO_LINES);
  assert.deepEqual(known.lines, ["uname -a", "id"]);
  const first = recall(known, "half a li", -1)!;
  assert.equal(first.line, "id");
  const second = recall(first.recall, first.line, -1)!;
  assert.equal(second.line, "uname -a");
  assert.equal(recall(second.recall, second.line, -1), undefined);
  const back = recall(second.recall, second.line, 1)!;
  assert.equal(back.line, "id");
  const draft = recall(back.recall, back.line, 1)!;
  assert.equal(draft.line, "half a li");
  assert.equal(recall(draft.recall, draft.line, 1), undefined);
});

Deno.test("no more than a hundred are kept", () => {
  let known = NO_LINES;
  for (let n = 0; n < 150; n++) known = remember(known, `echo ${n}`);
  assert.equal(known.lines.length, 100);
  assert.equal(known.lines.at(-1), "echo 149");
});
