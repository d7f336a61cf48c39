/** Networks on Open vSwitch: real guests as its ports, with VLANs; its own tools are the independent witness. */
import assert from "node:assert/strict";
import { inGuest } from "../testbed/exec.ts";
import { virsh } from "../testbed/libvirt.ts";
import { type TestMachine, testMachine } from "../testbed/machine.ts";
import { testName } from "../testbed/names.ts";
import { testSwitch } from "../testbed/openvswitch.ts";
import { call, known, readyServer, refused } from "../testbed/product.ts";
import { removeFiles, removeNetwork } from "../testbed/removal.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest", "openvswitch") !== null;

/** Whether the host answers a guest at this address. */
async function reaches(vm: TestMachine, address: string): Promise<boolean> {
  return /status 0$/.test(await inGuest(vm, `ping -c 2 -W 2 ${address}; echo status $?`));
}

Deno.test({
  name:
    "create_network() on Open vSwitch makes guests its ports: access, trunk and native VLANs, with real frames",
  ignore,
  fn: async (t) => {
    await using ovs = await testSwitch();
    const name = await testName("ovs-net"), trunk = `${name}-trunk`;
    await using undo = new AsyncDisposableStack();
    undo.defer(() => removeFiles(name));
    undo.defer(() => removeNetwork(trunk));
    undo.defer(() => removeNetwork(name));
    await using server = await readyServer();
    const [a, b] = crypto.getRandomValues(new Uint8Array(2));
    const subnet = (vlan: number) => `10.${200 + a! % 50}.${(b! & 0xf0) + vlan}`;
    await ovs.hostPort(5, `${subnet(5)}.1/24`);
    await ovs.hostPort(6, `${subnet(6)}.1/24`);

    await t.step("it is offered, and a bridge that is not there is refused", async () => {
      const { unavailable } = await call(server, "get_network_options");
      assert.equal(unavailable.find(({ mode }) => mode === "openvswitch"), undefined);
      await refused(
        call(server, "create_network", { name, mode: "openvswitch", bridge: "kvmmnone" }),
        "BridgeNotFound",
      );
    });
    await call(server, "create_network", {
      name,
      mode: "openvswitch",
      bridge: ovs.bridge,
      vlan: { tags: [5] },
    });
    await call(server, "create_network", {
      name: trunk,
      mode: "openvswitch",
      bridge: ovs.bridge,
      vlan: { tags: [5, 6], native: 5 },
    });
    await using vm = await testMachine({ purpose: "ovs", machine: "pc" });
    const vmId = vm.uuid;
    await known(server, vmId);
    const { mac } = await call(server, "attach_nic", { vmId, network: name });
    /** The device at the host's end. */
    const target = async () => /vnet\d+/.exec(await virsh("domiflist", vm.name))![0];
    const start = async () => {
      await vm.start();
      await vm.waitForBoot(1, { seconds: 180 });
      await vm.waitForAgent({ seconds: 120 });
      await inGuest(vm, `ip addr add ${subnet(5)}.2/24 dev eth0; ip addr add ${subnet(6)}.2/24 dev eth0`);
    };

    await t.step("an access port carries its VLAN alone", async () => {
      await start();
      assert.deepEqual(await ovs.port(await target(), "tag", "trunks"), ["5", "[]"]);
      // On a busy machine its first frames may be lost.
      await until("the guest to reach its VLAN", () => reaches(vm, `${subnet(5)}.1`), { seconds: 30 });
      assert.ok(!await reaches(vm, `${subnet(6)}.1`));
    });
    await t.step("the topology has the bridge as Open vSwitch, and the machine on its network", async () => {
      const { devices, networks, vms } = await call(server, "get_network_topology");
      const bridge = devices.find((each) => each.name === ovs.bridge);
      assert.deepEqual([bridge?.kind, bridge?.up], ["openvswitch", true], "it carries frames");
      assert.equal(
        devices.find((each) => each.name.startsWith("ovs-")),
        undefined,
        "its own helpers are none",
      );
      assert.deepEqual(networks.find((each) => each.name === name)?.over, [ovs.bridge]);
      assert.equal(vms.find((each) => each.vmId === vmId)?.nics[0]?.name, name);
    });
    await t.step("a trunk carries tagged frames, and its native VLAN without a tag", async () => {
      // libvirt cannot move a running machine's card from one to the other
      const applied = await call(server, "update_nic", { vmId, mac, network: trunk });
      assert.deepEqual(applied, { live: false, persistent: true });
      const [nic] = (await call(server, "get_vm_devices", { vmId })).nics;
      assert.deepEqual([nic?.network, nic?.pending.map(({ field }) => field)], [name, ["network"]]);
      assert.deepEqual(await ovs.port(await target(), "tag"), ["5"], "nothing has changed yet");
      await virsh("destroy", vm.name);
      await start();
      assert.deepEqual(await ovs.port(await target(), "tag", "trunks", "vlan_mode"), [
        "5",
        "[5, 6]",
        "native-untagged",
      ]);
      await until("the native VLAN", () => reaches(vm, `${subnet(5)}.1`), { seconds: 30 });
      assert.ok(!await reaches(vm, `${subnet(6)}.1`), "the other one, without a tag");
      await inGuest(
        vm,
        `ip addr del ${subnet(6)}.2/24 dev eth0; ip link add link eth0 name eth0.6 type vlan id 6;` +
          ` ip addr add ${subnet(6)}.2/24 dev eth0.6; ip link set eth0.6 up`,
      );
      await until("the other one, with its tag", () => reaches(vm, `${subnet(6)}.1`), { seconds: 30 });
    });
  },
});
