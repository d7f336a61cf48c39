import assert from "node:assert/strict";
import { aVm } from "../text/vm_fixture_test.ts";
import { changeEachVm, eligible, reportBulk } from "./bulk.ts";
import { bulkReport } from "./bulk_report.ts";

const a = aVm({ id: "a" }), b = aVm({ id: "b", state: "stopped" }), c = aVm({ id: "c" });

Deno.test("eligible() leaves out machines for which an action makes no sense", () => {
  assert.deepEqual(eligible("start", [a, b, c]), [b]);
  assert.deepEqual(eligible("force_stop", [a, b, c]), [a, c]);
});

Deno.test("changeEachVm() goes on after a failure, and works on a few at a time", async () => {
  let now = 0, most = 0;
  const many = Array.from({ length: 20 }, (_, index) => aVm({ id: `${index}` }));
  const outcomes = await changeEachVm(many, async ({ id }) => {
    most = Math.max(most, ++now);
    await Promise.resolve();
    now--;
    if (id === "3") throw new Error("no");
  });
  assert.equal(outcomes.length, 20);
  assert.deepEqual(outcomes.filter(({ error }) => error).map(({ vm }) => vm.id), ["3"]);
  assert.equal(most, 4);
});

Deno.test("reportBulk() names the machines that failed, and why", () => {
  reportBulk("Start", [{ vm: a }, { vm: b, error: { code: "StartFailed", message: "no kvm" } }]);
  assert.equal(bulkReport.value?.succeeded, 1);
  assert.deepEqual(bulkReport.value?.failures.map(({ vm, failure }) => [vm.id, failure.code, failure.why]), [
    ["b", "StartFailed", "no kvm"],
  ]);
});

Deno.test("changeEachVm() and reportBulk() keep what answers warn of, with failures and without", async () => {
  const ends = { warnings: ["The backup nightly no longer copies it."] };
  reportBulk(
    "Tag",
    await changeEachVm([a, b], ({ id }) => Promise.resolve(id === "a" ? ends : { warnings: [] })),
  );
  assert.deepEqual(bulkReport.value?.failures, []);
  assert.deepEqual(bulkReport.value?.warned.map(({ vm, warnings }) => [vm.id, ...warnings]), [
    ["a", ...ends.warnings],
  ]);
});
