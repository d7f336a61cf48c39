import assert from "node:assert/strict";
import { ContractError } from "../contract/errors.ts";
import { linesOf, stepsIn } from "./step_lines.ts";

Deno.test("stepsIn() reads a line as a command with its fields, by their schema", () => {
  const text = [
    'set_tags vmId={{vm}} tags="web, {{tag}}"',
    "",
    "  update_vm vmId={{vm}} cpu.count=2 cpu.max={{cpus}} title='two words'",
    "attach_disk vmId=v create.sizeGb=4 create.pool=default bus=virtio\r",
    "stop_vm vmId=v",
    "set_tags vmId=v tags=a,b",
  ].join("\n");
  assert.deepEqual(stepsIn(text), [
    { command: "set_tags", input: { vmId: "{{vm}}", tags: ["web", "{{tag}}"] } },
    {
      command: "update_vm",
      input: { vmId: "{{vm}}", cpu: { count: 2, max: "{{cpus}}" }, title: "two words" },
    },
    { command: "attach_disk", input: { vmId: "v", create: { sizeGb: 4, pool: "default" }, bus: "virtio" } },
    { command: "stop_vm", input: { vmId: "v" } },
    { command: "set_tags", input: { vmId: "v", tags: ["a", "b"] } },
  ]);
});

Deno.test("linesOf() writes what stepsIn() reads", () => {
  const steps = stepsIn(
    'update_vm vmId={{vm}} cpu.count=2 title="a \\"b\\" \\\\ c"\nset_tags vmId=v tags=a,b',
  );
  assert.deepEqual(stepsIn(linesOf(steps)), steps);
  assert.equal(linesOf(steps).split("\n").length, 2);
});

Deno.test("stepsIn() refuses a line with its number, and what is wrong with it", () => {
  const cases: readonly [string, RegExp][] = [
    ["get_vms\nno_such vmId=v", /line 2: there is no command "no_such"/],
    ["constructor", /line 1: there is no command/],
    ["start_vm vmId", /line 1: "vmId" is no field with its value/],
    ["start_vm vmId=v force=yes", /line 1: start_vm has no field force/],
    ["start_vm __proto__.x=1", /line 1: start_vm has no field __proto__/],
    ["update_vm vmId=v cpu.count=two", /line 1: .*cpu\.count/],
    ['start_vm vmId="v', /line 1: a quote is not closed/],
  ];
  for (const [text, words] of cases) {
    assert.throws(
      () => stepsIn(text),
      (error) =>
        error instanceof ContractError && error.details?.field === "steps" && words.test(error.message),
      text,
    );
  }
});
