/** Networks of a replicated VM: chosen for the other host, changed, and looked at before anything is shut down. */
import assert from "node:assert/strict";
import { type MigrationHost, migrationHosts, randomImage } from "../testbed/migration_hosts.ts";
import { call, known, refused } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;

/** Makes an isolated network by the product, so that it knows it at once. */
const makeNetwork = ({ server }: MigrationHost, name: string, start = true) =>
  call(server, "create_network", { name, mode: "isolated", start });

/** Networks of a VM's cards at its next start, by MAC address. */
async function cardsOf({ libvirt }: MigrationHost, name: string): Promise<Record<string, string>> {
  const xml = await libvirt.virsh("dumpxml", "--inactive", name);
  const cards = xml.match(/<interface type='network'>[^]*?<\/interface>/g) ?? [];
  return Object.fromEntries(
    cards.map((card) => [/mac address='([^']*)'/.exec(card)![1]!, /network='([^']*)'/.exec(card)![1]!]),
  );
}

Deno.test({
  name:
    "a replicated VM comes into the networks that were chosen, and what is missing is told before it is shut down",
  ignore,
  fn: async (t) => {
    await using hosts = await migrationHosts();
    const { from, to } = hosts, path = await randomImage(from, "disk.qcow2", 4);
    for (const name of ["lan", "dmz"]) await makeNetwork(from, name);
    const vm = await from.libvirt.machine({
      start: true,
      disks: [{ path, format: "qcow2", bus: "virtio" }],
      network: { name: "lan", mac: "52:54:00:00:00:01" },
    });
    await from.libvirt.virsh(
      ...["attach-interface", vm.name, "network", "dmz", "--mac", "52:54:00:00:00:02", "--model", "virtio"],
      ...["--live", "--config"],
    );
    const { uuid: vmId, name } = vm;
    await known(from.server, vmId);
    const whole = async (replicationId: string) =>
      await until("a whole increment", async () => {
        const found = (await call(from.server, "list_replications")).find(({ id }) => id === replicationId);
        assert.notEqual(found?.lastRun?.state, "failed", JSON.stringify(found?.lastRun));
        return found?.takenAt !== null && found?.running === false ? found : null;
      }, { seconds: 60 });
    let replicationId = "";
    /** Waits until the other host has a definition with these networks. */
    const sent = (...names: readonly string[]) =>
      until("the networks there", async () => {
        const plan = await call(to.server, "get_switch_over_plan", { replicaId: replicationId });
        const [found] = await call(from.server, "list_replications");
        return found?.running === false && plan.networks?.map(({ name }) => name).join() === names.join();
      }, { seconds: 60 });

    await t.step("a network that the other host has not is refused, by its name", async () => {
      const networks = [{ from: "lan", to: "nowhere" }];
      await refused(
        call(from.server, "create_replication", { vmId, toHost: "there", networks }),
        "NetworkNotFound",
        /nowhere \(there\)/,
      );
      assert.deepEqual(await call(from.server, "list_replications"), []);
    });

    await t.step("created without: the plan says what is missing, and nothing takes over", async () => {
      const made = await call(from.server, "create_replication", {
        vmId,
        toHost: "there",
        everySeconds: 86_400,
      });
      replicationId = made.id;
      assert.equal(made.networks, undefined);
      await whole(replicationId);
      const plan = await call(to.server, "get_switch_over_plan", { replicaId: replicationId });
      assert.deepEqual(plan.networks, [{ name: "lan", state: "missing" }, { name: "dmz", state: "missing" }]);
      const problems = plan.findings.filter(({ level }) => level === "problem").map(({ text }) => text);
      assert.ok(problems.some((text) => /has no network lan/.test(text)), problems.join("\n"));
    });

    await t.step("a switch-over is refused while the guest runs on", async () => {
      const id = await from.libvirt.virsh("domid", name);
      await refused(
        call(from.server, "switch_over", { replicationId }),
        "ReplicationNotPossible",
        /no network (lan|dmz)/,
      );
      assert.equal(await from.libvirt.virsh("domid", name), id, "it was not shut down");
      assert.deepEqual(await to.vms(), []);
      const [found] = await call(from.server, "list_replications");
      assert.equal(found?.state, "active");
    });

    await t.step("chosen afterwards, exchanged: kept, shown, and sent at once", async () => {
      for (const each of ["lan", "dmz"]) await makeNetwork(to, each);
      const networks = [{ from: "lan", to: "dmz" }, { from: "dmz", to: "lan" }];
      const changed = await call(from.server, "update_replication", { replicationId, networks });
      assert.deepEqual(changed.networks, networks);
      await sent("dmz", "lan");
      const plan = await call(to.server, "get_switch_over_plan", { replicaId: replicationId });
      assert.deepEqual(plan.networks, [{ name: "dmz", state: "active" }, { name: "lan", state: "active" }]);
      const same = [{ from: "lan", to: "lan" }];
      assert.equal(
        (await call(from.server, "update_replication", { replicationId, networks: same })).networks,
        undefined,
      );
      await sent("lan", "dmz");
      await call(from.server, "update_replication", { replicationId, networks });
      await sent("dmz", "lan");
    });

    await t.step("one that is off is refused, a VM that is off as well, and it is not lost", async () => {
      await call(to.server, "stop_network", { name: "lan" });
      // Its firmware answers no shutdown
      await from.libvirt.virsh("destroy", name);
      await until("it is off", async () => (await call(from.server, "get_vm", { vmId })).state === "stopped");
      await refused(
        call(from.server, "switch_over", { replicationId }),
        "ReplicationNotPossible",
        /network lan of .* is not active/,
      );
      assert.deepEqual(await to.vms(), []);
      assert.equal((await call(from.server, "list_replications"))[0]?.state, "active");
      await call(from.server, "start_vm", { vmId });
    });

    await t.step("off, another choice counts although no disk has changed", async () => {
      await from.libvirt.virsh("destroy", name);
      await until("it is off", async () => (await call(from.server, "get_vm", { vmId })).state === "stopped");
      await call(from.server, "replicate_now", { replicationId });
      const networks = [{ from: "lan", to: "dmz" }];
      await call(from.server, "update_replication", { replicationId, networks });
      await sent("dmz");
    });

    await t.step("taken over with a network of this host, chosen at that moment", async () => {
      await makeNetwork(to, "spare");
      await refused(
        call(to.server, "promote_replica", {
          replicaId: replicationId,
          networks: [{ from: "dmz", to: "nowhere" }],
        }),
        "ReplicationNotPossible",
        /has no network nowhere/,
      );
      assert.deepEqual(await to.vms(), []);
      await call(to.server, "promote_replica", {
        replicaId: replicationId,
        networks: [{ from: "dmz", to: "spare" }],
      });
      assert.equal(await to.libvirt.virsh("domstate", name), "running");
      assert.deepEqual(await cardsOf(to, name), {
        "52:54:00:00:00:01": "spare",
        "52:54:00:00:00:02": "spare",
      });
    });

    await t.step("the way back: into the networks there, by a planned switch-over", async () => {
      const networks = [{ from: "spare", to: "dmz" }];
      // It learns that it is no longer the owner
      await refused(call(from.server, "replicate_now", { replicationId }), "ReplicaPromoted");
      const { id } = await call(to.server, "create_replication", {
        vmId,
        toHost: "there",
        everySeconds: 86_400,
        takeOld: true,
        networks,
      });
      await until("the first increment back", async () => {
        const found = (await call(to.server, "list_replications")).find((each) => each.id === id);
        assert.notEqual(found?.lastRun?.state, "failed", JSON.stringify(found?.lastRun));
        return found?.takenAt !== null && found?.running === false;
      }, { seconds: 60 });
      await to.libvirt.virsh("destroy", name);
      await until("it is off", async () => (await call(to.server, "get_vm", { vmId })).state === "stopped");
      await call(to.server, "switch_over", { replicationId: id });
      assert.equal(await from.libvirt.virsh("domstate", name), "running");
      assert.deepEqual(await cardsOf(from, name), {
        "52:54:00:00:00:01": "dmz",
        "52:54:00:00:00:02": "dmz",
      });
    });
  },
});
