import assert from "node:assert/strict";
import { aVm } from "../text/vm_fixture_test.ts";
import { DEFAULT_QUERY } from "./list_query.ts";
import { countVms, filterVms, firstAddress, groupVms, sortVms } from "./list.ts";

const nic = { mac: "52:54:00:aa:bb:cc", network: "default", type: "network", linkUp: true };
const web = aVm({
  name: "web-2",
  tags: ["prod", "web"],
  osVariant: "debian12",
  networkInterfaces: [{ ...nic, ipAddress: "192.0.2.7", ipAddresses: ["192.0.2.7/24"] }],
});
const db = aVm({ name: "db-10", state: "stopped", tags: ["prod"], group: "lab", diskSizeGb: 40 });
const old = aVm({ name: "db-9", state: "crashed", diskSizeGb: null });
const vms = [web, db, old];
const named = (list: readonly { name: string }[]) => list.map(({ name }) => name);

Deno.test("filterVms() wants every word, in any field, upper or lower case", () => {
  const find = (q: string) => named(filterVms(vms, { ...DEFAULT_QUERY, q }));
  assert.deepEqual(find("PROD web"), ["web-2"]);
  assert.deepEqual(find("debian 192.0.2"), ["web-2"]);
  assert.deepEqual(find("aa:bb"), ["web-2"]);
  assert.deepEqual(find("nothing"), []);
});

Deno.test("filterVms() by state, attention, tag, group and host", () => {
  const find = (change: object) => named(filterVms(vms, { ...DEFAULT_QUERY, ...change }));
  assert.deepEqual(find({ state: "stopped" }), ["db-10"]);
  assert.deepEqual(find({ state: "attention" }), ["db-9"]);
  assert.deepEqual(find({ tag: "prod" }), ["web-2", "db-10"]);
  assert.deepEqual(find({ group: "lab" }), ["db-10"]);
  const there = aVm({ name: "far", host: "there" });
  assert.deepEqual(named(filterVms([...vms, there], { ...DEFAULT_QUERY, host: "there" })), ["far"]);
});

Deno.test("countVms() counts each filter", () => {
  const counts = countVms(vms);
  assert.deepEqual([counts.all, counts.running, counts.stopped, counts.crashed, counts.attention], [
    3,
    1,
    1,
    1,
    1,
  ]);
});

Deno.test("sortVms() reads numbers in names as numbers", () => {
  assert.deepEqual(named(sortVms(vms, DEFAULT_QUERY)), ["db-9", "db-10", "web-2"]);
});

Deno.test("sortVms() puts unknown values last, both ways", () => {
  for (const dir of ["asc", "desc"] as const) {
    assert.equal(sortVms(vms, { sort: "disk", dir }).at(-1)?.name, "db-9", dir);
  }
});

Deno.test("sortVms() by load takes the newest figures, of live machines only", () => {
  const order = sortVms([web, db], { sort: "cpu", dir: "desc" }, (vm) => ({
    vmId: vm.id,
    cpuUsagePercent: vm === db ? 99 : 1,
    memoryUsedMb: 0,
    memoryAvailableMb: 0,
    diskReadBytes: 0,
    diskWriteBytes: 0,
    networkRxBytes: 0,
    networkTxBytes: 0,
    timestamp: 0,
  }));
  assert.deepEqual(named(order), ["web-2", "db-10"]);
});

Deno.test("groupVms() by tag lists a machine under each of its tags, untagged ones last", () => {
  const groups = groupVms(vms, "tag");
  assert.deepEqual(groups.map(({ key, vms }) => [key, vms.length]), [["prod", 2], ["web", 1], ["", 1]]);
});

Deno.test("groupVms() by state keeps the states' order", () => {
  assert.deepEqual(groupVms(vms, "state").map(({ key }) => key), ["running", "crashed", "stopped"]);
});

Deno.test("firstAddress() is unknown without an address", () => {
  assert.equal(firstAddress(web), "192.0.2.7");
  assert.equal(firstAddress(db), undefined);
});
