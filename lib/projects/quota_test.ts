import assert from "node:assert/strict";
import { exceeded, misfitOf, NO_USAGE, sumOf, withDefaults } from "./quota.ts";
import { endText, stageOf } from "./end_date.ts";

const counted = (vms: number, cpus: number, memoryMb: number, diskGb: number) => ({
  vms,
  cpus,
  memoryMb,
  diskGb,
});

Deno.test("misfitOf() refuses what grows beyond a limit, and nothing that stays or shrinks", () => {
  const quota = { vms: 2, cpus: 4 }, others = counted(1, 3, 1024, 10);
  assert.equal(misfitOf(quota, others, NO_USAGE, counted(1, 1, 1, 1)), undefined);
  assert.deepEqual(misfitOf(quota, others, NO_USAGE, counted(1, 2, 1, 1)), {
    field: "cpus",
    limit: 4,
    requested: 2,
  });
  assert.equal(misfitOf(quota, counted(2, 0, 0, 0), NO_USAGE, counted(1, 0, 0, 0))?.field, "vms");
  // A project that is over its quota: what does not grow is not refused
  const over = counted(5, 30, 1024, 10), vm = counted(1, 2, 512, 5);
  assert.equal(misfitOf(quota, over, vm, counted(1, 2, 4096, 50)), undefined);
  assert.equal(misfitOf(quota, over, vm, counted(1, 1, 512, 5)), undefined);
  assert.equal(misfitOf(quota, over, vm, counted(1, 3, 512, 5))?.field, "cpus");
  assert.equal(misfitOf({ cpus: 0 }, NO_USAGE, NO_USAGE, counted(1, 1, 1, 1))?.limit, 0);
});

Deno.test("sumOf() adds fractions of GiB without a rest of floating point", () => {
  assert.equal(sumOf([counted(1, 1, 1, 0.1), counted(1, 1, 1, 0.2)]).diskGb, 0.3);
  assert.equal(misfitOf({ diskGb: 1 }, counted(0, 0, 0, 0.1), NO_USAGE, counted(1, 1, 1, 0.9)), undefined);
});

Deno.test("exceeded() names what is beyond its limit, and nothing without one", () => {
  assert.deepEqual(exceeded({ vms: 1, diskGb: 10 }, counted(1, 99, 99, 10.5)), ["diskGb"]);
});

Deno.test("withDefaults() fills in what was not said, and no disk in addition to disks that were given", () => {
  const defaults = { cpuCount: 4, memoryMb: 4096, diskSizeGb: 9, network: "lab", tags: ["lab"] };
  assert.deepEqual(withDefaults({ cpuCount: 1 }, defaults), { ...defaults, cpuCount: 1 });
  assert.deepEqual(withDefaults({ disks: [], nics: [] }, defaults), {
    cpuCount: 4,
    memoryMb: 4096,
    tags: ["lab"],
    disks: [],
    nics: [],
  });
});

Deno.test("an end date is told a week and a day before, and when it has come", () => {
  const day = 86_400_000, end = Date.UTC(2027, 0, 31, 18);
  assert.deepEqual(
    [8, 7, 2, 1, 0, -5].map((days) => stageOf(end, end - days * day)),
    [null, "week", "week", "day", "over", "over"],
  );
  assert.match(endText(end, "day"), /^Its end date is 2027-01-31 18:00 UTC: /);
  assert.match(endText(end, "over"), /has passed.*Nothing is deleted/);
});
