/** Addresses: from the lease, the agent, ARP; and a guest that hangs does not delay other calls. */
import assert from "node:assert/strict";
import { freeze, qemuPid, thaw } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { testNetwork } from "../testbed/network.ts";
import { ownLibvirtd } from "../testbed/own_libvirtd.ts";
import { call, EventLog, readyServer, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("guest") !== null || await ownLibvirtd("addresses") !== null;

Deno.test({
  name: "Addresses come from the lease and the agent, and vanish with the machine",
  ignore,
  fn: async (t) => {
    await using network = await testNetwork("addr");
    await using leased = await testMachine({ purpose: "addr", network, agent: false, start: true });
    await using asked = await testMachine({ purpose: "addr", network, start: true });
    await using server = await readyServer();
    await using _watching = await EventLog.open(server);

    await t.step("a guest without an agent, by its lease", async () => {
      const address = await leased.waitForLease();
      const vm = await shows(server, leased.uuid, (vm) => vm.networkInterfaces[0]?.ipAddress === address, {
        seconds: 30,
      });
      assert.deepEqual(vm.networkInterfaces[0]?.ipAddresses, [`${address}/24`]);
    });
    await t.step("a guest with an agent, also addresses no lease knows", async () => {
      await asked.waitForLease();
      await asked.waitForAgent();
      await asked.agent("guest-exec", {
        path: "/bin/ip",
        arg: ["addr", "add", "192.0.2.7/28", "dev", "eth0"],
      });
      const vm = await shows(
        server,
        asked.uuid,
        (vm) => vm.networkInterfaces[0]?.ipAddresses.includes("192.0.2.7/28") === true,
        { seconds: 45 },
      );
      assert.ok(vm.networkInterfaces[0]?.ipAddresses.some((address) => address.startsWith(network.subnet)));
      assert.equal(vm.networkInterfaces[0]?.ipAddresses.some((address) => address.startsWith("127.")), false);
    });
    await t.step("a guest that hangs does not hold up the list or the others", async () => {
      const pid = await qemuPid(asked.name) ?? assert.fail("no QEMU");
      await freeze(pid);
      try {
        for (let index = 0; index < 20; index++) {
          const begin = performance.now();
          await call(server, "get_vms");
          assert.ok(performance.now() - begin < 1000);
        }
        assert.equal((await call(server, "get_vm", { vmId: leased.uuid })).responsive, true);
      } finally {
        await thaw(pid);
      }
    });
    await t.step("none once it is off", async () => {
      await call(server, "force_stop_vm", { vmId: leased.uuid });
      const { networkInterfaces } = await call(server, "get_vm", { vmId: leased.uuid });
      assert.deepEqual(networkInterfaces[0]?.ipAddresses, []);
      assert.equal(networkInterfaces[0]?.ipAddress, undefined);
    });
  },
});
