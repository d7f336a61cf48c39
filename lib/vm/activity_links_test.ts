import assert from "node:assert/strict";
import type { Activity } from "../contract/mod.ts";
import { withLinks } from "./activity_links.ts";

Deno.test("withLinks() leaves out the ids of VMs that are not there", () => {
  const entry = (id: number, vmId?: string) =>
    ({ id, timestamp: id, action: "start_vm", actor: "ann", result: "ok", vmName: "n", vmId }) as Activity;
  const told = withLinks([entry(1, "there"), entry(2, "gone"), entry(3)], [{ id: "there" }]);
  assert.deepEqual(told.map(({ id, vmId, vmName }) => [id, vmId, vmName]), [
    [1, "there", "n"],
    [2, undefined, "n"],
    [3, undefined, "n"],
  ]);
});
