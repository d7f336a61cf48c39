import assert from "node:assert/strict";
import type { Grant } from "../../lib/contract/mod.ts";
import { uncoveredBy } from "./covers.ts";

Deno.test("uncoveredBy() names hosts that are not there along with VMs and groups, and nothing where all are", () => {
  const grants: Grant[] = [
    { role: "viewer", on: { kind: "everything" } },
    { role: "viewer", on: { kind: "vm", vmId: "v" } },
    { role: "viewer", on: { kind: "host", host: "lab" } },
    { role: "operator", on: { kind: "host", host: "attic" } },
  ];
  const gone = { uncovered: () => ({ uncovered: ["the VM web (v)"] }) }, there = { uncovered: () => ({}) };
  const isHost = (hostId: string) => hostId === "lab";
  assert.deepEqual(uncoveredBy(grants, gone, isHost), { uncovered: ["the VM web (v)", "the host attic"] });
  assert.deepEqual(uncoveredBy(grants, there, isHost), { uncovered: ["the host attic"] });
  assert.deepEqual(uncoveredBy(grants, there, () => true), {});
});
