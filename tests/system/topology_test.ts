/** The topology, on the real libvirt and the kernel's real devices. */
import assert from "node:assert/strict";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { testNetwork } from "../testbed/network.ts";
import { run } from "../testbed/process.ts";
import { call, readyServer, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;

/** A bridge with one end of a pair in it, which are removed in the end. */
async function testBridge(): Promise<AsyncDisposable & { bridge: string; port: string }> {
  const id = crypto.randomUUID().slice(0, 6);
  const bridge = `kvmmb${id}`, port = `kvmmp${id}`;
  await using undo = new AsyncDisposableStack();
  await run(["ip", "link", "add", bridge, "type", "bridge"]);
  undo.defer(() => run(["ip", "link", "del", bridge]).then(() => undefined));
  await run(["ip", "link", "add", port, "type", "veth", "peer", "name", `${port}x`]);
  undo.defer(() => run(["ip", "link", "del", port]).then(() => undefined));
  await run(["ip", "link", "set", port, "master", bridge]);
  const cleanup = undo.move();
  return { bridge, port, [Symbol.asyncDispose]: () => cleanup.disposeAsync() };
}

Deno.test({
  name: "get_network_topology() shows devices, networks and machines as they are connected",
  ignore,
  fn: async (t) => {
    await using network = await testNetwork("topo");
    await using vm = await testMachine({ purpose: "topo", network, agent: false });
    await using made = await testBridge();
    await using server = await readyServer();
    const topology = () => call(server, "get_network_topology");
    await shows(server, vm.uuid, () => true);

    await t.step("devices: the way out, a bridge and what is in it", async () => {
      const { devices, devicesUnavailable } = await topology();
      assert.equal(devicesUnavailable, undefined);
      const bridge = devices.find(({ name }) => name === made.bridge)!;
      assert.deepEqual([bridge.kind, bridge.up, bridge.over], ["bridge", false, [made.port]]);
      assert.equal(devices.find(({ name }) => name === made.port)?.kind, "port");
      const out = (await run(["ip", "-o", "route", "show", "default"])).match(/ dev (\S+)/)?.[1];
      assert.deepEqual(
        devices.filter(({ hasDefaultRoute }) => hasDefaultRoute).map(({ name }) => name),
        out ? [out] : [],
      );
      const own = devices.find(({ name }) => name === out);
      if (own) {
        const shown = await run(["ip", "-o", "addr", "show", "dev", own.name, "scope", "global"]);
        const addresses = [...shown.matchAll(/inet6? (\S+)/g)].map((match) => match[1]!);
        assert.deepEqual([...own.addresses].sort(), addresses.sort());
        assert.match(
          await run(["ip", "-o", "link", "show", own.name]),
          new RegExp(`mtu ${own.mtu}.*${own.mac}`),
        );
      }
    });
    await t.step("libvirt's own bridge belongs to its network", async () => {
      const { devices, networks } = await topology();
      const shown = networks.find(({ name }) => name === network.name)!;
      assert.deepEqual([shown.active, shown.addresses], [true, [`${network.subnet}.1/24`]]);
      assert.match(await virsh("net-info", network.name), new RegExp(`Bridge:\\s+${shown.bridge}`));
      assert.equal(devices.find(({ name }) => name === shown.bridge)?.network, network.name);
    });
    await t.step("a machine's card follows where it is plugged in", async () => {
      const nicOf = async () => (await topology()).vms.find(({ vmId }) => vmId === vm.uuid)!.nics[0]!;
      assert.deepEqual(
        [(await nicOf()).to, (await nicOf()).name, (await nicOf()).target],
        ["network", network.name, undefined],
      );
      await call(server, "update_nic", { vmId: vm.uuid, mac: vm.mac!, bridge: made.bridge });
      assert.deepEqual([(await nicOf()).to, (await nicOf()).name], ["device", made.bridge]);
      await call(server, "update_nic", { vmId: vm.uuid, mac: vm.mac!, network: network.name });
    });
    await t.step("a running guest shows its end on the host and its address", async () => {
      await call(server, "start_vm", { vmId: vm.uuid });
      const address = await vm.waitForLease({ seconds: 120 });
      const nic = await until("the address", async () => {
        const machine = (await topology()).vms.find(({ vmId }) => vmId === vm.uuid);
        return machine?.nics[0]?.addresses.includes(`${address}/24`) && machine.nics[0];
      }, { seconds: 30, every: 500 });
      assert.match(await virsh("domiflist", vm.name), new RegExp(`^\\s*${nic.target}\\s`, "m"));
      const { devices } = await topology();
      assert.ok(!devices.some(({ name }) => name === nic.target), "a machine's end is told twice");
    });
  },
});
