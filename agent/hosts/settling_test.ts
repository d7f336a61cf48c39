import assert from "node:assert/strict";
import type { CommandName } from "../../lib/contract/mod.ts";
import { settledFor, type SettlingHosts } from "./settling.ts";

/** Two hosts, each with a VM of its own name, that become read when a test says so. */
function world() {
  const make = (id: string) => {
    const over = Promise.withResolvers<void>(), inventory = { filled: false };
    const read = () => {
      inventory.filled = true;
      over.resolve();
    };
    return { id, inventory, read, fail: over.resolve, settled: () => over.promise } as const;
  };
  const local = make("local"), lab = make("lab"), both = [local, lab];
  const owners = new Map<string, string>();
  const hosts = {
    local,
    all: () => both,
    named: (id: string) => both.find((host) => host.id === id),
    withVm: (vmId: string) =>
      both.find((host) =>
        host.id === (owners.get(vmId) ?? "") || host.inventory.filled && vmId === `of ${host.id}`
      ),
  } as unknown as SettlingHosts;
  /** Whether a call goes on by now, without a host that answers later. */
  const goesOn = async (command: CommandName, input: object, ms = 20) => {
    let limit: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<false>((resolve) => limit = setTimeout(() => resolve(false), ms));
    try {
      return await Promise.race([settledFor(hosts, command, input).then(() => true), late]);
    } finally {
      clearTimeout(limit);
    }
  };
  return { local, lab, owners, goesOn };
}

const CALLS: readonly [command: CommandName, input: object, waits: { local: boolean; lab: boolean }][] = [
  ["get_networks", {}, { local: true, lab: false }],
  ["get_networks", { host: "lab" }, { local: false, lab: true }],
  ["get_networks", { host: "nowhere" }, { local: false, lab: false }],
  ["get_vms", { host: "local" }, { local: true, lab: false }],
  ["start_vm", { vmId: "of local" }, { local: true, lab: false }],
  ["start_vm", { vmId: "of lab" }, { local: false, lab: true }],
  ["start_vm", { vmId: "remembered" }, { local: false, lab: true }],
  ["start_vm", { vmId: "unknown" }, { local: true, lab: true }],
  ["batch_stop_vms", { vmIds: ["of lab"] }, { local: false, lab: true }],
  ["batch_stop_vms", { vmIds: ["of lab", "of local"] }, { local: true, lab: true }],
  ["run_schedule_now", { scheduleId: "x" }, { local: true, lab: true }],
];

for (const [command, input, waits] of CALLS) {
  const hosts = Object.entries(waits).filter(([, does]) => does).map(([id]) => id);
  Deno.test(`${command} ${JSON.stringify(input)} waits for ${hosts.join(" and ") || "no host"}`, async () => {
    for (const silent of ["local", "lab"] as const) {
      const { goesOn, owners, ...both } = world();
      owners.set("remembered", "lab");
      both[silent === "local" ? "lab" : "local"].read();
      assert.equal(await goesOn(command, input), !waits[silent], `${silent} is silent`);
      both[silent].read();
      assert.equal(await goesOn(command, input, 1000), true);
    }
  });
}

Deno.test("a list of all hosts goes on without one that is silent, once another was read, and when no host answers", async () => {
  const one = world();
  const goesOn = one.goesOn("get_vms", {}, 2000);
  assert.equal(await one.goesOn("get_vms", {}), false);
  one.local.fail();
  assert.equal(await one.goesOn("get_vms", {}), false, "what was not read is no list");
  one.lab.read();
  assert.equal(await goesOn, true);
  const other = world();
  other.lab.read();
  assert.equal(await other.goesOn("get_vms", {}, 100), false, "the others have a moment");
  assert.equal(await other.goesOn("get_vms", {}, 2000), true);
  const none = world();
  none.local.fail();
  none.lab.fail();
  assert.equal(await none.goesOn("analyze_all_vms", {}), true);
});
