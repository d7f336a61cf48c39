/** The host that a call is about, and the VMs that each host shows. */
import assert from "node:assert/strict";
import { ContractError, type VM, type VmState } from "../../lib/contract/mod.ts";
import { aVm } from "../../lib/text/vm_fixture_test.ts";
import type { LibvirtHost } from "./libvirt_host.ts";
import { HostRegistry } from "./registry.ts";

const ID = "web1";

/** Hosts that have a VM of the same id, each in a state of its own, or none. */
class World {
  readonly kept = new Map<string, string>();
  readonly hosts = new HostRegistry({ hostOf: (vmId) => this.kept.get(vmId) });
  readonly revealed: string[] = [];
  readonly #vms = new Map<string, VM>();

  constructor(states: Readonly<Record<string, VmState | undefined>>, unread: readonly string[] = []) {
    for (const id of Object.keys(states)) {
      const anyVm = (vmId: string) => vmId === ID ? this.#vms.get(id) : undefined;
      const vm = (vmId: string) => this.hosts.isForeign(id, vmId) ? undefined : anyVm(vmId);
      const vms = () => [vm(ID)].filter((each) => each !== undefined);
      const reveal = () => void this.revealed.push(id);
      const inventory = {
        vm,
        anyVm,
        vms,
        reveal,
        hostname: `${id}.example`,
        filled: !unread.includes(id),
      };
      this.hosts.add({ id, inventory } as unknown as LibvirtHost);
    }
    for (const [id, state] of Object.entries(states)) this.put(id, state);
  }

  put(id: string, state: VmState | undefined, more: Partial<VM> = {}): void {
    if (state === undefined) this.#vms.delete(id);
    else this.#vms.set(id, { ...aVm({ id: ID, name: `of ${id}`, state }), ...more });
    this.hosts.placed(ID);
  }

  owner = () => this.hosts.withVm(ID)?.id;
  shown = () => this.hosts.vms().map(({ name }) => name);
}

const codeOf = (run: () => unknown): string => {
  try {
    run();
    return "ok";
  } catch (error) {
    assert.ok(error instanceof ContractError);
    return error.code;
  }
};

Deno.test("a call is about the host that it names, else about that of its VM, else about the local one", () => {
  const { hosts } = new World({ local: undefined, lab: "running" });
  assert.equal(hosts.of({ host: "lab" }).id, "lab");
  assert.equal(hosts.of({ host: "local.example" }).id, "local");
  assert.equal(hosts.of({ vmId: ID }).id, "lab");
  assert.equal(hosts.of({ vmId: "another" }).id, "local");
  assert.equal(hosts.of({}).id, "local");
  assert.equal(codeOf(() => hosts.of({ host: "nowhere" })), "HostNotFound");
  assert.equal(hosts.of({ host: "lab", vmId: ID }).id, "lab");
  assert.equal(codeOf(() => hosts.of({ host: "local", vmId: ID })), "VmNotFound");
});

Deno.test("a host that claims the id of another host's VM gets no call, and its VM is in no list", () => {
  for (const claim of ["running", "paused", "stopped"] as const) {
    const world = new World({ local: "stopped", lab: claim });
    world.kept.set(ID, "local");
    assert.deepEqual([world.owner(), world.shown()], ["local", ["of local"]], claim);
    assert.equal(world.hosts.of({ vmId: ID }).id, "local");
    assert.equal(codeOf(() => world.hosts.of({ vmId: ID, host: "lab" })), "VmNotFound");
    const lab = world.hosts.require("lab");
    assert.deepEqual(world.hosts.foreignOn(lab), [{ vmId: ID, name: "of lab", owners: ["local"] }]);
    assert.deepEqual(world.hosts.foreignOn(world.hosts.local), []);
  }
});

Deno.test("a claim gets nothing while the host of the VM was never read", () => {
  const world = new World({ local: undefined, lab: "running" }, ["local"]);
  world.kept.set(ID, "local");
  assert.deepEqual([world.owner(), world.hosts.vm(ID), world.shown()], ["local", undefined, []]);
});

Deno.test("a VM that moves is shown where it went, once the host before has it no more", async () => {
  const world = new World({ local: "running" as VmState, lab: undefined });
  world.kept.set(ID, "local");
  world.put("lab", "paused");
  assert.deepEqual([world.owner(), world.revealed], ["local", []]);
  world.put("local", "stopped", { stateReason: "migrated" });
  await Promise.resolve();
  assert.deepEqual([world.owner(), world.shown(), world.revealed], ["lab", ["of lab"], ["lab"]]);
  world.kept.set(ID, "lab");
  world.put("local", "running");
  assert.equal(world.owner(), "lab", "what stayed behind claims it again");
  world.put("lab", undefined);
  await Promise.resolve();
  assert.deepEqual([world.owner(), world.shown(), world.revealed], ["local", ["of local"], ["lab", "local"]]);
});

Deno.test("a VM of several hosts that never was known to be one's is refused, with the hosts", () => {
  const world = new World({ local: "running", lab: "stopped" });
  assert.equal(codeOf(() => world.hosts.of({ vmId: ID })), "VmOnSeveralHosts");
  assert.deepEqual([world.owner(), world.hosts.vm(ID), world.shown()], [undefined, undefined, []]);
  assert.deepEqual(world.hosts.foreignOn(world.hosts.local), [{
    vmId: ID,
    name: "of local",
    owners: ["lab"],
  }]);
});

Deno.test("isKnown(): a VM of a host that was not read since the start stays its own", () => {
  const world = new World({ local: undefined, kvm2: undefined }, ["kvm2"]);
  assert.ok(!world.hosts.isKnown(ID));
  world.kept.set(ID, "kvm2");
  assert.ok(world.hosts.isKnown(ID));
  world.kept.set(ID, "local");
  assert.ok(!world.hosts.isKnown(ID), "one that was read does not have it any more");
  world.put("local", "running");
  assert.ok(world.hosts.isKnown(ID));
});
