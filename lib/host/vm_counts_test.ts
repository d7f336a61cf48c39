import assert from "node:assert/strict";
import type { HostStatus } from "../contract/mod.ts";
import { vmCountsOf } from "./vm_counts.ts";

const host = (id: string, more: Partial<HostStatus>): HostStatus => ({
  id,
  label: id,
  uri: "",
  isLocal: id === "local",
  status: "connected",
  error: null,
  since: 0,
  isKnown: true,
  foreignVms: [],
  ...more,
});

const HOSTS = [
  host("local", { vmCount: 10, activeVmCount: 6 }),
  host("near", { vmCount: 8, activeVmCount: 5 }),
  host("away", { vmCount: 5, activeVmCount: 1, status: "disconnected" }),
  host("unread", { isKnown: false }),
  host("off", { vmCount: 70, activeVmCount: 7, status: "disabled" }),
];

Deno.test("the local host's pages count the VMs of all hosts, those last known of a host that is away", () => {
  assert.deepEqual(vmCountsOf(HOSTS, "local"), { total: 23, active: 12 });
});

Deno.test("another host's pages count its VMs alone", () => {
  assert.deepEqual(vmCountsOf(HOSTS, "near"), { total: 8, active: 5 });
  assert.equal(vmCountsOf(HOSTS, "unread"), null);
});
