import assert from "node:assert/strict";
import type { Job, VM } from "../../../lib/contract/mod.ts";
import { shiftMoments } from "../../../lib/host/host_moments.ts";
import { notUnderstoodText } from "../../../lib/vm/not_responding.ts";
import { endText } from "../../../lib/projects/end_date.ts";
import type { Membership } from "../projects.ts";
import { HostCache, type HostCacheOptions } from "./host_cache.ts";

const vm = (id: string): VM => ({
  id,
  name: id,
  state: "running",
  responsive: true,
  cpuCount: 4,
  maxCpuCount: 4,
  memoryMb: 4096,
  maxMemoryMb: 4096,
  diskSizeGb: null,
  networkInterfaces: [],
  disks: [],
  graphics: [],
  tags: [],
  autostart: false,
  persistent: true,
  guestAgent: "connected",
  guestAgents: { "qemu-ga": "connected", "kvm-manager-agent": "not configured" },
  firmware: "bios",
  virtType: "kvm",
  host: "there",
  attention: [],
});
const NO_OWNERS = { claim: () => {}, release: () => {}, reconcile: () => {} };
const OPTIONS: HostCacheOptions = {
  hostId: "far",
  hostname: () => "kvm2",
  isTaken: () => false,
  owners: NO_OWNERS,
  toHere: (_schema, value) => value,
  now: () => 5000,
  membershipOf: () => ({}),
};
const frame = (name: string, data: unknown, id?: string) => ({ id, name, data: JSON.stringify(data) });

/** A cache whose other hosts have these VMs. */
function cache(...taken: readonly string[]) {
  const known = new HostCache({ ...OPTIONS, isTaken: (vmId) => taken.includes(vmId) });
  assert.ok(known.fill([vm("a"), vm("b")], []));
  return known;
}

Deno.test("HostCache gives its VMs the host that they are on here", () => {
  assert.deepEqual(cache().vms().map(({ id, host }) => [id, host]), [["a", "far"], ["b", "far"]]);
});

Deno.test("HostCache reads VMs of another version, and counts those that it does not understand", () => {
  const known = new HostCache(OPTIONS);
  const newer = { ...vm("a"), colour: "red", guestAgents: { ...vm("a").guestAgents, theirs: "connected" } };
  assert.ok(known.fill([newer, { ...vm("b"), state: "hibernating" }], [{ id: "none" }]));
  assert.deepEqual(known.vms().map(({ id }) => id), ["a"]);
  assert.equal(known.unknownVms, 1);
  assert.deepEqual(known.jobs(), []);
  assert.ok(!known.fill([{ ...vm("b"), state: "hibernating" }], []), "none of them");
  assert.ok(known.fill([], []));
  assert.equal(known.unknownVms, 0);
});

Deno.test("HostCache keeps VMs with other hosts' ids to itself, and their events", () => {
  const known = cache("b");
  assert.deepEqual(known.vms().map(({ id }) => id), ["a"]);
  assert.equal(known.vm("b"), undefined);
  assert.deepEqual(known.foreign().map(({ id }) => id), ["b"]);
  const told = known.take([
    frame("vm-updated", { vm: vm("b") }),
    frame("vm-state-changed", { vmId: "b", state: "paused" }),
    frame("vm-deleted", { vmId: "b" }),
    frame("vm-state-changed", { vmId: "ours", state: "paused" }),
    frame("vm-deleted", { vmId: "ours" }),
  ]);
  assert.deepEqual(told, []);
});

Deno.test("HostCache follows events, and hands them on with their host", () => {
  const known = cache();
  const told = known.take([
    frame("vm-created", { vm: vm("c") }),
    frame("vm-state-changed", { vmId: "a", state: "paused" }),
    frame("vm-deleted", { vmId: "b" }),
    frame("network-changed", { name: "lan", event: "started" }),
  ]);
  assert.deepEqual(told.map(([name]) => name), [
    "vm-created",
    "vm-state-changed",
    "vm-deleted",
    "network-changed",
  ]);
  assert.equal((told[3]![1] as { host?: string }).host, "far");
  assert.deepEqual(known.vms().map(({ id, state }) => [id, state]), [["a", "paused"], ["c", "running"]]);
});

Deno.test("HostCache refuses VMs of hosts that a KVM Manager of an earlier version reads, and keeps its own", () => {
  const of = (host: string, id: string) => frame("vm-created", { vm: { ...vm(id), host } });
  const ids = (known: HostCache) => known.vms().map(({ id }) => id);
  const known = cache();
  known.take([
    of("beyond", "x"),
    of("there", "c"),
    of("kvm2", "d"),
    of("kvm2.example.org", "e"),
    of("kvm21", "y"),
  ]);
  known.take([frame("vm-state-changed", { vmId: "x", state: "paused" }), frame("vm-deleted", { vmId: "x" })]);
  // Its host has its full name now
  known.take([frame("vm-updated", { vm: { ...vm("a"), host: "attic.example.org", state: "paused" } })]);
  assert.deepEqual(ids(known), ["a", "b", "c", "d", "e"]);
  assert.equal(known.vm("a")?.state, "paused");
  assert.ok(!known.isBehind);

  const empty = new HostCache(OPTIONS);
  assert.ok(empty.fill([], []));
  assert.deepEqual(empty.take([of("unlike", "f")]), []);
  assert.ok(empty.isBehind, "its list says whether that is its own name");
  assert.ok(empty.fill([{ ...vm("f"), host: "unlike" }], []));
  empty.take([of("unlike", "g")]);
  assert.deepEqual([ids(empty), empty.isBehind], [["f", "g"], false]);
});

Deno.test("HostCache takes nothing that is not as the contract says, nor what is of a further host", () => {
  const known = cache();
  const told = known.take([
    frame("vm-state-changed", { vmId: "a", state: "on fire" }),
    frame("vm-updated", { vm: { id: "ours" } }),
    frame("vm-updated", { vm: { id: 5 } }),
    frame("vm-updated", "a"),
    { id: undefined, name: "vm-deleted", data: "{" },
    frame("activity", { anything: true }),
    frame("error", { message: "<b>" }),
    frame("reload", { reason: "x" }),
    frame("network-changed", { name: "lan", event: "started", host: "local" }),
    frame("constructor", {}),
  ]);
  assert.deepEqual(told, []);
  assert.equal(known.fill([{ id: "a" }], []), false);
  assert.equal(known.fill({}, []), false);
  assert.deepEqual(known.vms().map(({ id }) => id), ["a", "b"], "what was known stays");
});

Deno.test("HostCache: a VM whose update is not understood says so since when, until one is", () => {
  const known = cache(), newer = { ...vm("a"), state: "hibernating" };
  const since = () => known.vms().map(({ id, state, notUnderstoodSince }) => [id, state, notUnderstoodSince]);
  const [told, ...more] = known.take([
    frame("vm-updated", { vm: newer }),
    frame("vm-updated", { vm: newer }),
    frame("vm-created", { vm: { ...newer, id: "c" } }),
    frame("vm-created", { vm: { ...newer, id: "c" } }),
  ]);
  const attention = [notUnderstoodText(5000)];
  assert.deepEqual(told, [
    "vm-updated",
    { vm: { ...vm("a"), host: "far", notUnderstoodSince: 5000, attention } },
  ]);
  assert.deepEqual(more, [], "it is told once");
  assert.deepEqual(since(), [["a", "running", 5000], ["b", "running", undefined]]);
  assert.equal(known.unknownVms, 1, "one that was never understood is counted");

  // Read again, with the same
  assert.ok(known.fill([newer, vm("b"), { ...newer, id: "c" }], []));
  assert.deepEqual(since(), [["b", "running", undefined], ["a", "running", 5000]]);
  assert.equal(known.unknownVms, 1);

  known.take([frame("vm-updated", { vm: vm("a") }), frame("vm-created", { vm: vm("c") })]);
  assert.deepEqual(since().map(([, , at]) => at), [undefined, undefined, undefined]);
  assert.ok(known.fill([vm("a"), vm("b"), vm("c")], []));
  assert.equal(known.unknownVms, 0);
});

Deno.test("HostCache: a host cannot say of itself that it is not understood, and what others have stays theirs", () => {
  const known = cache("b");
  known.take([frame("vm-updated", { vm: { ...vm("a"), notUnderstoodSince: 1 } })]);
  assert.equal(known.vm("a")?.notUnderstoodSince, undefined);
  assert.deepEqual(known.take([frame("vm-updated", { vm: { ...vm("b"), state: "hibernating" } })]), []);
});

Deno.test("HostCache tells moments by the clock here", () => {
  const known = new HostCache({ ...OPTIONS, toHere: (schema, value) => shiftMoments(schema, value, -1000) });
  assert.ok(known.fill([{ ...vm("a"), startedAt: 5000 }], []));
  assert.equal(known.vm("a")?.startedAt, 4000);
  const [told] = known.take([frame("vm-updated", { vm: { ...vm("a"), startedAt: 7000 } })]);
  assert.equal((told![1] as { vm: VM }).vm.startedAt, 6000);
});

Deno.test("HostCache keeps the newest tasks alone", () => {
  const known = cache();
  const job = (id: string): Job => ({
    id,
    command: "clone_vm",
    title: id,
    actor: "ann",
    state: "done",
    progress: null,
    doneBytes: null,
    totalBytes: null,
    startedAt: 1,
    endedAt: 2,
    secondsLeft: null,
    error: null,
    cancellable: false,
    cancelling: false,
  });
  for (let n = 0; n < 600; n++) known.take([frame("job-changed", { job: job(`j${n}`) })]);
  assert.equal(known.jobs().length, 500);
  assert.equal(known.job("j0"), undefined);
  assert.equal(known.job("j599")?.host, "far");
});

Deno.test("HostCache gives its VMs the project and end date that they have here, none of the other KVM Manager's", () => {
  const membership: Record<string, Membership> = {};
  const known = new HostCache({ ...OPTIONS, membershipOf: (vmId) => membership[vmId] ?? {} });
  const theirs = { ...vm("a"), project: { id: "p", name: "theirs" }, endsAt: 7, attention: ["its own"] };
  assert.ok(known.fill([theirs], []));
  assert.deepEqual([known.vm("a")!.project, known.vm("a")!.endsAt], [undefined, undefined]);
  membership.a = { project: { id: "q", name: "ours" }, endsAt: 9, endText: endText(9, "day") };
  const [[name, data] = []] = known.reshow("a");
  assert.equal(name, "vm-updated");
  const { project, endsAt, attention } = (data as { vm: VM }).vm;
  assert.deepEqual([project?.name, endsAt, attention], ["ours", 9, ["its own", endText(9, "day")]]);
  membership.a = { project: { id: "q", name: "ours" }, endsAt: 9, endText: endText(9, "over") };
  known.reshow("a");
  assert.deepEqual(known.vm("a")!.attention, ["its own", endText(9, "over")]);
  delete membership.a;
  known.reshow("a");
  assert.deepEqual([known.vm("a")!.project, known.vm("a")!.attention], [undefined, ["its own"]]);
  assert.deepEqual(known.reshow("none"), []);
});
