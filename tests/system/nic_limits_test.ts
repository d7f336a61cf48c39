/**
 * Limits of network interfaces; virsh and Open vSwitch are the witnesses. There they hold without the queues of a kernel,
 * which this machine's may lack.
 */
import assert from "node:assert/strict";
import type { Input } from "../../lib/contract/mod.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { releaseName, testName } from "../testbed/names.ts";
import { testNetwork } from "../testbed/network.ts";
import { testSwitch } from "../testbed/openvswitch.ts";
import { run } from "../testbed/process.ts";
import { call, known, readyServer, refused, shows } from "../testbed/product.ts";
import { removeDomain, removeFiles, removeNetwork } from "../testbed/removal.ts";
import { requirement } from "../testbed/skip.ts";

/** The limits of an interface as virsh tells them, without those that are none. */
async function tuned(
  name: string,
  mac: string,
  place: "--live" | "--config",
): Promise<Record<string, number>> {
  const lines = (await virsh("domiftune", name, mac, place)).split("\n");
  const pairs = lines.map((line) => line.split(":").map((part) => part.trim()));
  return Object.fromEntries(
    pairs.filter(([key, value]) => key && Number(value) > 0).map(([key, value]) => [key!, Number(value)]),
  );
}

Deno.test({
  name:
    "update_nic() and attach_nic() limit an interface for the next start, and refuse what libvirt cannot limit",
  ignore: await requirement("guest") !== null,
  fn: async (t) => {
    await using network = await testNetwork("nic-limits");
    await using vm = await testMachine({ purpose: "nic-limits", guest: false, network });
    await using server = await readyServer();
    const vmId = vm.uuid, mac = vm.mac!;
    await known(server, vmId);
    const update = (what: Omit<Input<"update_nic">, "vmId" | "mac">) =>
      call(server, "update_nic", { vmId, mac, ...what });
    const limits = { "inbound.average": 12_500, "inbound.peak": 25_000, "outbound.average": 2500 };

    await t.step("both ways, with a burst; our answer says the same", async () => {
      const done = await update({ inboundAverage: 12_500, inboundPeak: 25_000, outboundAverage: 2500 });
      assert.deepEqual(done, { live: false, persistent: true });
      assert.deepEqual(await tuned(vm.name, mac, "--config"), limits);
      const [nic] = (await call(server, "get_vm_devices", { vmId })).nics;
      assert.deepEqual([nic?.inboundAverage, nic?.inboundPeak, nic?.outboundAverage, nic?.outboundBurst], [
        12_500,
        25_000,
        2500,
        undefined,
      ]);
    });
    await t.step("its cable, model, filter and address change, and they stay", async () => {
      await update({ linkUp: false, model: "e1000e" });
      await update({ filter: "no-mac-spoofing" });
      await update({ filter: "", newMac: "52:54:00:0a:0b:0c" });
      await call(server, "update_nic", { vmId, mac: "52:54:00:0a:0b:0c", newMac: mac, linkUp: true });
      assert.deepEqual(await tuned(vm.name, mac, "--config"), limits);
    });
    await t.step("what virsh sets by hand is seen", async () => {
      await virsh("domiftune", vm.name, mac, "--inbound", "1000,2000,512", "--config");
      const [nic] = (await call(server, "get_vm_devices", { vmId })).nics;
      assert.deepEqual([nic?.inboundAverage, nic?.inboundPeak, nic?.inboundBurst], [1000, 2000, 512]);
      await update({ inboundAverage: 12_500, inboundPeak: 25_000, inboundBurst: 0 });
      assert.deepEqual(await tuned(vm.name, mac, "--config"), limits);
    });
    await t.step("what does not go together is refused, and nothing is changed", async () => {
      await refused(
        update({ inboundPeak: 100 }),
        "InvalidInput",
        /inboundPeak \(100\) cannot be below inboundAverage/,
      );
      await refused(
        update({ outboundAverage: 0, outboundBurst: 64 }),
        "InvalidInput",
        /outboundBurst needs outboundAverage/,
      );
      await refused(
        update({ user: "slirp" }),
        "LimitsNotSupported",
        "A network interface of type user takes no limits: libvirt limits those on a network, a bridge or a network " +
          "device of the host. Plug it into one of these, or set its limits to 0.",
      );
      await refused(
        call(server, "attach_nic", { vmId, user: "slirp", inboundAverage: 1000 }),
        "LimitsNotSupported",
      );
      assert.deepEqual(await tuned(vm.name, mac, "--config"), limits);
      assert.equal((await vm.xml()).match(/<interface /g)?.length, 1);
    });
    await t.step("a clone has them", async () => {
      const name = await testName("nic-limits-of");
      try {
        const { vmId: copyId } = await call(server, "clone_vm", { vmId, name });
        await known(server, copyId);
        const [nic] = (await call(server, "get_vm_devices", { vmId: copyId })).nics;
        assert.deepEqual(await tuned(name, nic!.mac, "--config"), limits);
      } finally {
        await removeDomain(name);
        await releaseName(name);
      }
    });
    await t.step(
      "0 takes a way's limit with its burst; without limits it can have user networking",
      async () => {
        await update({ inboundAverage: 0 });
        assert.deepEqual(await tuned(vm.name, mac, "--config"), { "outbound.average": 2500 });
        assert.deepEqual(await update({ outboundAverage: 0, user: "slirp" }), {
          live: false,
          persistent: true,
        });
        assert.doesNotMatch(await vm.xml(), /<bandwidth>/);
        await refused(update({ inboundAverage: 1 }), "LimitsNotSupported");
      },
    );
    await t.step("a new interface has them", async () => {
      const made = await call(server, "attach_nic", { vmId, network: network.name, outboundAverage: 125 });
      assert.deepEqual(await tuned(vm.name, made.mac, "--config"), { "outbound.average": 125 });
    });
  },
});

Deno.test({
  name: "update_nic() limits a running VM's interface at once, and at every start",
  ignore: await requirement("openvswitch") !== null,
  fn: async (t) => {
    await using ovs = await testSwitch();
    const name = await testName("ovs-limits");
    await using undo = new AsyncDisposableStack();
    undo.defer(() => removeFiles(name));
    undo.defer(() => removeNetwork(name));
    await using server = await readyServer();
    await call(server, "create_network", { name, mode: "openvswitch", bridge: ovs.bridge });
    await using vm = await testMachine({ purpose: "ovs-limits", guest: false });
    const vmId = vm.uuid;
    await known(server, vmId);
    const { mac } = await call(server, "attach_nic", { vmId, network: name });
    await vm.start();
    await shows(server, vmId, ({ state }) => state === "running");
    const update = (what: Omit<Input<"update_nic">, "vmId" | "mac">) =>
      call(server, "update_nic", { vmId, mac, ...what });
    /** Kilobits a second that Open vSwitch takes of what the guest sends. */
    const policed = async () => {
      const target = /vnet\d+/.exec(await virsh("domiflist", vm.name))![0];
      return Number(await run(["ovs-vsctl", "get", "interface", target, "ingress_policing_rate"]));
    };
    const same = async (limits: Record<string, number>, kilobits: number) => {
      assert.deepEqual(await tuned(vm.name, mac, "--live"), limits);
      assert.deepEqual(await tuned(vm.name, mac, "--config"), limits);
      assert.equal(await policed(), kilobits);
    };

    await t.step("set, changed, and taken away", async () => {
      assert.deepEqual(await update({ outboundAverage: 2500 }), { live: true, persistent: true });
      await same({ "outbound.average": 2500 }, 20_000);
      await update({ outboundAverage: 1250, outboundBurst: 256 });
      await same({ "outbound.average": 1250, "outbound.burst": 256 }, 10_000);
      assert.deepEqual((await call(server, "get_vm_devices", { vmId })).nics[0]!.pending, []);
      await update({ outboundAverage: 0 });
      await same({}, 0);
    });
    await t.step("what virsh sets by hand is seen, and what differs at the next start", async () => {
      await update({ outboundAverage: 1250 });
      await virsh("domiftune", vm.name, mac, "--outbound", "125", "--live");
      const [nic] = (await call(server, "get_vm_devices", { vmId })).nics;
      assert.equal(nic?.outboundAverage, 125);
      assert.deepEqual(nic?.pending, [{ field: "outboundAverage", now: "125", next: "1250" }]);
      await update({ outboundAverage: 1250 });
    });
    await t.step("when the stored configuration cannot follow, the running VM is as it was", async () => {
      const before = [await vm.xml(), await vm.xml("--inactive")];
      // libvirt writes a definition next to its file, and renames it over the file: a folder cannot be replaced so.
      const file = `/etc/libvirt/qemu/${vm.name}.xml`;
      await Deno.rename(file, `${file}.kept`);
      await Deno.mkdir(file);
      try {
        await refused(update({ outboundAverage: 125 }), "UpdateFailed", /rename/);
      } finally {
        await Deno.remove(file);
        await Deno.rename(`${file}.kept`, file);
      }
      assert.deepEqual([await vm.xml(), await vm.xml("--inactive")], before);
      await same({ "outbound.average": 1250 }, 10_000);
    });
    await t.step("the VM that was started again has them", async () => {
      await virsh("destroy", vm.name);
      await vm.start();
      await same({ "outbound.average": 1250 }, 10_000);
    });
  },
});
