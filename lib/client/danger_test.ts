import assert from "node:assert/strict";
import { aVm } from "../format/vm_fixture_test.ts";
import { ask, asked } from "./danger.ts";

Deno.test("ask() resolves with the answer, and takes the question off the screen", async () => {
  const answer = ask({ action: "delete", vms: [aVm()] });
  asked.value?.answer({ deleteDisks: true });
  assert.deepEqual(await answer, { deleteDisks: true });
  assert.equal(asked.value, null);
});

Deno.test("ask() answers an open question with no before it asks the next", async () => {
  const first = ask({ action: "reset", vms: [aVm()] });
  const second = ask({ action: "delete", vms: [aVm()] });
  assert.equal(await first, null);
  asked.value?.answer(null);
  assert.equal(await second, null);
});
