/** A planned switch-over whose outcome is not known: it is said, asked about, and the VM does not stay off where it was not made. */
import assert from "node:assert/strict";
import { migrationHosts, randomImage } from "../testbed/migration_hosts.ts";
import { freeze, thaw } from "../testbed/pid.ts";
import { call, refused, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;

Deno.test({
  name: "the other KVM Manager is killed while it makes the VM: undecided, then the VM runs here again",
  ignore,
  fn: async () => {
    await using hosts = await migrationHosts();
    const { from, to } = hosts, path = await randomImage(from, "disk.qcow2", 4);
    const vm = await from.libvirt.machine({
      guest: true,
      start: true,
      serial: "pty",
      disks: [{ path, format: "qcow2", bus: "virtio" }],
    });
    await vm.waitForBoot();
    const { uuid: vmId } = vm;
    await shows(from.server, vmId, ({ guestAgent }) => guestAgent === "connected", { seconds: 60 });
    const { id: replicationId } = await call(from.server, "create_replication", {
      vmId,
      toHost: "there",
      everySeconds: 86_400,
    });
    const found = async () =>
      (await call(from.server, "list_replications")).find(({ id }) => id === replicationId);
    await until("the first copy", async () => {
      const { takenAt, running } = (await found())!;
      return takenAt !== null && !running;
    }, { seconds: 60 });
    const asked = refused(call(from.server, "switch_over", { replicationId }), "LinkUndecided");
    await until("it to be off", async () => await vm.state() === "shut off", { seconds: 60, every: 20 });
    const pid = (await to.libvirt.pid())!;
    await freeze(pid);
    try {
      await until("it to be made there", async () => (await found())?.state === "undecided", {
        seconds: 60,
        every: 20,
      });
      to.killServer();
      await asked;
      await refused(call(from.server, "start_vm", { vmId }), "VmNotOwner");
      const entries = await call(from.server, "get_activity", {});
      assert.ok(
        entries.some(({ message }) => /is not known.*--reclaim/s.test(String(message))),
        "what to do is said",
      );
    } finally {
      await thaw(pid);
    }
    await to.startServer();
    await shows(from.server, vmId, ({ state }) => state === "running", { seconds: 120 });
    assert.equal((await found())?.state, "active");
    assert.deepEqual(await to.vms(), [], "it runs once");
    await until("all to be settled", () => Promise.resolve([...from.open(), ...to.open()].length === 0), {
      seconds: 60,
    });
  },
});
