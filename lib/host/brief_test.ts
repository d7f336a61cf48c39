import assert from "node:assert/strict";
import type { HostStats, HostStatus } from "../contract/mod.ts";
import { briefHosts, withHeard } from "./brief.ts";

const load = { cpuUsagePercent: 10, memoryUsedMb: 1024, memoryTotalMb: 4096, timestamp: 1000 };
const HOST: HostStatus = {
  id: "kvm2",
  label: "Attic",
  uri: "https://kvm2:8006",
  isLocal: false,
  isKnown: true,
  foreignVms: [],
  status: "connected",
  error: null,
  since: 500,
  vmCount: 3,
  load,
  linked: { hostname: "kvm2", version: "1.2.3", role: "administrator" },
};
const stats = (timestamp: number): HostStats => ({
  cpuUsagePercent: 90,
  memoryUsedMb: 2048,
  memoryTotalMb: 4096,
  timestamp,
  loadAverage: null,
  uptimeSeconds: null,
});

Deno.test("briefHosts() leaves out hosts that are disabled, and how each is connected to", () => {
  const [brief, ...more] = briefHosts([HOST, { ...HOST, id: "off", status: "disabled" }]);
  assert.deepEqual(more, []);
  assert.deepEqual([brief!.id, brief!.manager, brief!.foreign], ["kvm2", "1.2.3", 0]);
  assert.ok(!JSON.stringify(brief).includes("8006"));
});

Deno.test("withHeard() takes what was heard last, and no load that is older than what was read", () => {
  const [host] = briefHosts([HOST]);
  assert.deepEqual(withHeard(host!, null, null), host);
  const away = withHeard(host!, { status: "disconnected", error: "it is away", since: 900 }, stats(999));
  assert.deepEqual([away.status, away.error, away.since, away.load], [
    "disconnected",
    "it is away",
    900,
    load,
  ]);
  assert.deepEqual(withHeard(host!, null, stats(1001)).load, {
    cpuUsagePercent: 90,
    memoryUsedMb: 2048,
    memoryTotalMb: 4096,
    timestamp: 1001,
  });
});
