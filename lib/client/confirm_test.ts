import assert from "node:assert/strict";
import { aVm } from "../text/vm_fixture_test.ts";
import { askToConfirm, needsConfirmation } from "./confirm.ts";
import { openQuestion } from "./open_question.ts";

Deno.test("askToConfirm() resolves with the answer, and takes the question off the screen", async () => {
  const answer = askToConfirm({ action: "delete", vms: [aVm()] });
  const consent = { disks: new Map([["vm", ["/a.qcow2"]]]), permanently: new Set<string>() };
  openQuestion.value?.answer(consent);
  assert.deepEqual(await answer, consent);
  assert.equal(openQuestion.value, null);
});

Deno.test("askToConfirm() answers an open question with no before it asks the next", async () => {
  const first = askToConfirm({ action: "reset", vms: [aVm()] });
  const second = askToConfirm({ action: "delete", vms: [aVm()] });
  assert.equal(await first, null);
  openQuestion.value?.answer(null);
  assert.equal(await second, null);
});

Deno.test("needsConfirmation() asks before something is lost, and before many guests are interrupted", () => {
  assert.deepEqual(
    [
      needsConfirmation("force_stop", 1),
      needsConfirmation("delete", 1),
      needsConfirmation("stop", 10),
      needsConfirmation("stop", 11),
      needsConfirmation("reboot", 11),
      needsConfirmation("start", 500),
    ],
    [true, true, false, true, true, false],
  );
});
