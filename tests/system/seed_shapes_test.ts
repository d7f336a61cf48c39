/** Inputs in the seed's shapes, on a real libvirt: virsh is the witness. */
import assert from "node:assert/strict";
import { virsh, virshUnless } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { testName } from "../testbed/names.ts";
import { testPool } from "../testbed/pool.ts";
import { known, readyServer } from "../testbed/product.ts";
import { removeNetwork } from "../testbed/removal.ts";
import { CallError } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("qemu") !== null;
const MIB = 1024 ** 2;

Deno.test({
  name: "networks and volumes are made, stopped and deleted by inputs in the seed's shapes",
  ignore,
  fn: async (t) => {
    await using undo = new AsyncDisposableStack();
    const pool = undo.use(await testPool("shapes"));
    const name = await testName("shapes");
    undo.defer(() => removeNetwork(name));
    const server = undo.use(await readyServer());
    const networks = async () =>
      (await virsh("net-list", "--all", "--name")).split("\n").map((each) => each.trim());

    await t.step("create_volume { poolId, config }, get_volumes { poolId }", async () => {
      const made = await server.call("create_volume", {
        poolId: pool.name,
        config: { name: "data.qcow2", capacityBytes: 8 * MIB, format: "qcow2" },
      });
      assert.equal((made as { name: string }).name, "data.qcow2");
      assert.match(await virsh("vol-dumpxml", "data.qcow2", "--pool", pool.name), /<format type='qcow2'\/>/);
      const volumes = await server.call("get_volumes", { poolId: pool.name }) as { name: string }[];
      assert.deepEqual(volumes.map((volume) => volume.name), ["data.qcow2"]);
      await server.call("delete_volume", { poolId: pool.name, volume: "data.qcow2" });
      assert.equal(
        await virshUnless(/not found|no storage vol/i, "vol-info", "data.qcow2", "--pool", pool.name),
        null,
      );
    });

    await t.step("create_network { config }", async () => {
      const made = await server.call("create_network", { config: { name, mode: "isolated" } });
      assert.equal((made as { name: string }).name, name);
      assert.match(await virsh("net-info", name), /Active:\s+yes/);
    });

    const vm = undo.use(await testMachine({ purpose: "shapes", guest: false }));
    await virsh("attach-interface", vm.name, "network", name, "--config");
    await vm.start();
    await known(server, vm.uuid);
    const inUse = (error: unknown) =>
      error instanceof CallError && (error.body as { code: string }).code === "NetworkInUse";

    await t.step("stop_network { force }", async () => {
      await assert.rejects(server.call("stop_network", { name, force: false }), inUse);
      assert.match(await virsh("net-info", name), /Active:\s+yes/);
      await server.call("stop_network", { name, force: true });
      assert.match(await virsh("net-info", name), /Active:\s+no/);
    });
    await t.step("delete_network { force }", async () => {
      await assert.rejects(server.call("delete_network", { name, force: false }), inUse);
      assert.ok((await networks()).includes(name));
      await server.call("delete_network", { name, force: true });
      assert.ok(!(await networks()).includes(name));
      assert.equal(await vm.state(), "running");
    });
  },
});
