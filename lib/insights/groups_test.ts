import assert from "node:assert/strict";
import type { Insight } from "../contract/insights.ts";
import { groupFindings, vmsOf } from "./groups.ts";

const finding = (rule: string, vm: string | undefined, over: Partial<Insight> = {}): Insight => ({
  id: `${rule}:${vm}`,
  category: "guest",
  severity: "info",
  ...(vm !== undefined && { vmId: vm, vmName: vm }),
  title: rule,
  seen: `${rule} of ${vm}`,
  why: "why",
  advice: "advice",
  series: [],
  ...over,
});

const shape = (insights: readonly Insight[]) =>
  groupFindings(insights).map((group) => group.map(({ id }) => id));

Deno.test("groupFindings() makes one of what three VMs have in common, at the place of the first", () => {
  const a = finding("a", "1"), b = finding("b", "1");
  assert.deepEqual(shape([a, b, finding("a", "2"), finding("a", "3")]), [["a:1", "a:2", "a:3"], ["b:1"]]);
  assert.deepEqual(shape([a, b, finding("a", "2")]), [["a:1"], ["a:2"], ["b:1"]]);
});

Deno.test("groupFindings() leaves findings of hosts, with figures or with a change by themselves", () => {
  const change = { vmId: "1", fields: [] } as unknown as Insight["apply"];
  for (const over of [{ series: [{ name: "cpu_usage" }] }, { apply: change }] as Partial<Insight>[]) {
    assert.equal(shape(["1", "2", "3"].map((vm) => finding("a", vm, over))).length, 3);
  }
  assert.equal(shape(["x", "y", "z"].map((pool) => finding(pool, undefined))).length, 3);
  const advices = ["1", "2", "3"].map((vm) => finding("a", vm, { advice: `advice ${vm}` }));
  assert.equal(shape(advices).length, 3);
});

Deno.test("vmsOf() counts a VM with two disks of a kind once", () => {
  const disks = ["vda", "vdb"].map((about) => finding("a", "1", { about, id: `a:1:${about}` }));
  assert.deepEqual(vmsOf(disks), ["1"]);
  assert.equal(groupFindings([...disks, finding("a", "2")]).length, 3);
});
