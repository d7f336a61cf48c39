import assert from "node:assert/strict";
import { Store } from "../../store/store.ts";
import { TestClock } from "../../testing.ts";
import { HOST_MIGRATIONS } from "../records.ts";
import { LinkedHosts } from "./linked_hosts.ts";
import { VmOwners } from "./vm_owners.ts";

Deno.test("VmOwners: a VM is its first host's until that one no longer has it, also after a restart", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const clock = new TestClock();
  const open = () => {
    const store = new Store(folder, undefined, [{ name: "host", migrations: HOST_MIGRATIONS }]);
    return { store, owners: new VmOwners(store, clock) };
  };
  try {
    const first = open();
    first.owners.reconcile("good", new Set(["a", "b"]));
    first.owners.claim("a", "bad");
    first.owners.reconcile("bad", new Set(["b", "c"]));
    first.owners.release("b", "bad");
    first.owners.claim("d", "good");
    await clock.advance(2000);
    first.store.close();
    const { store, owners } = open();
    const all = () => ["a", "b", "c", "d"].map((id) => owners.hostOf(id));
    assert.deepEqual(all(), ["good", "good", "bad", "good"]);
    const kept = new Set(["good", "bad"]);
    const hosts = new LinkedHosts(() => false, owners, (id) => kept.has(id), () => false);
    assert.ok(hosts.isTaken("a", "bad") && !hosts.isTaken("a", "good") && !hosts.isTaken("e", "bad"));
    kept.delete("good");
    assert.ok(!hosts.isTaken("a", "bad"), "a host that was removed has no VMs");
    owners.release("a", "good");
    owners.claim("a", "bad");
    owners.reconcile("good", new Set());
    assert.deepEqual(all(), ["bad", undefined, "bad", undefined]);
    store.close();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
