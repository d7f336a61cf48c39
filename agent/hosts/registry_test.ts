/** Which host a call is about. */
import assert from "node:assert/strict";
import type { VmState } from "../../lib/contract/mod.ts";
import { aVm } from "../../lib/text/vm_fixture_test.ts";
import type { Host } from "./host.ts";
import { HostRegistry } from "./registry.ts";

/** Hosts that have the same VM, each in a state of its own. */
function hostsWith(states: Readonly<Record<string, VmState | undefined>>): HostRegistry {
  const hosts = new HostRegistry();
  for (const [id, state] of Object.entries(states)) {
    const vm = () => state && aVm({ id: "web1", state });
    const vms = () => [vm()].filter((each) => each !== undefined);
    hosts.add({ id, inventory: { vm, vms } } as unknown as Host);
  }
  return hosts;
}

Deno.test("a VM that was migrated is found where it runs, although its definition stayed behind", () => {
  const where = (states: Parameters<typeof hostsWith>[0]) => hostsWith(states).of({ vmId: "web1" }).id;
  assert.equal(where({ local: "stopped", other: "running" }), "other");
  assert.equal(where({ local: "stopped", other: "paused" }), "other");
  assert.equal(where({ local: "running", other: "stopped" }), "local");
  assert.equal(where({ local: "stopped", other: "stopped" }), "local");
  assert.equal(where({ local: undefined, other: "stopped" }), "other");
  assert.equal(where({ local: undefined, other: undefined }), "local");
});

Deno.test("a definition that stayed behind is in no list; a VM that is on twice is there twice", () => {
  const states = (told: Parameters<typeof hostsWith>[0]) => hostsWith(told).vms().map(({ state }) => state);
  assert.deepEqual(states({ local: "stopped", other: "running" }), ["running"]);
  assert.deepEqual(states({ local: "running", other: "stopped" }), ["running"]);
  assert.deepEqual(states({ local: "stopped", other: "stopped" }), ["stopped"]);
  assert.deepEqual(states({ local: undefined, other: "paused" }), ["paused"]);
  assert.deepEqual(states({ local: "running", other: "running" }), ["running", "running"]);
});
