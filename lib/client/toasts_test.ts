import assert from "node:assert/strict";
import { dismiss, reportDone, toasts } from "./toasts.ts";

Deno.test("reportDone() keeps what has warnings until it is closed", () => {
  reportDone("Tags saved.", ["The backup nightly no longer copies it."]);
  const { id, title, tone } = toasts.value.at(-1)!;
  assert.deepEqual([title, tone], ["Tags saved. · The backup nightly no longer copies it.", "warn"]);
  // A message that goes by itself would leave a timer behind, which the test refuses.
  dismiss(id);
});
