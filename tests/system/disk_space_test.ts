/** Checks that volumes too large for a pool are refused before anything is made, with the needed and the free size. */
import assert from "node:assert/strict";
import { virsh } from "../testbed/libvirt.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { call, readyServer, refused } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("qemu") !== null || Deno.uid() !== 0;
const MIB = 1024 ** 2;

Deno.test({
  name: "create_volume() and create_vm() refuse 40 MB in a pool of 14 MB as what they are, and make nothing",
  ignore,
  fn: async (t) => {
    await using undo = new AsyncDisposableStack();
    const { name: pool, path } = undo.use(await testPool("space"));
    const server = undo.use(await readyServer());
    await run(["mount", "-t", "tmpfs", "-o", "size=14m", "tmpfs", path]);
    undo.defer(async () => void await run(["umount", path]));
    await virsh("pool-refresh", pool);
    const said = (requested: string) =>
      `Disk size exceeds storage pool capacity (requested: ${requested}GB, available: 0.0136GB)`;
    const files = async () => (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name).sort();

    await t.step("create_volume(), in every format and preallocation", async () => {
      for (
        const options of [
          { format: "raw" },
          { format: "qcow2" },
          { format: "qcow2", preallocation: "metadata" },
          { format: "raw", preallocation: "full" },
        ] as const
      ) {
        const volume = { pool, name: "large", capacityBytes: 40 * MIB, ...options };
        await refused(call(server, "create_volume", volume), "DiskExceedsPool", said("0.039"));
      }
      assert.deepEqual(await files(), []);
    });
    await t.step("to the byte: what fits is made, one more is not", async () => {
      const volume = { pool, format: "raw", capacityBytes: 14 * MIB } as const;
      await refused(
        call(server, "create_volume", { ...volume, name: "more", capacityBytes: 14 * MIB + 1 }),
        "DiskExceedsPool",
      );
      await call(server, "create_volume", { ...volume, name: "fits" });
      assert.deepEqual(await files(), ["fits"]);
      await refused(
        call(server, "resize_volume", { pool, volume: "fits", capacityBytes: 54 * MIB }),
        "DiskExceedsPool",
        said("0.039"),
      );
      assert.equal((await Deno.stat(`${path}/fits`)).size, 14 * MIB);
      await call(server, "delete_volume", { pool, volume: "fits" });
    });
    const config = {
      name: `kvmm-test-space-${Deno.pid}`,
      memoryMb: 128,
      nics: [],
      disks: [{ sizeGb: 1, pool, format: "raw" as const }],
    };
    await t.step("create_vm() and check_vm_config(), in the same words", async () => {
      await refused(call(server, "create_vm", config), "DiskExceedsPool", said("1"));
      const { errors } = await call(server, "check_vm_config", config);
      assert.deepEqual(errors.map(({ field, code, message }) => [field, code, message]), [
        ["disks.0.sizeGb", "DiskExceedsPool", said("1")],
      ]);
      const two = { ...config, disks: [...config.disks, ...config.disks] };
      const both = await call(server, "check_vm_config", two);
      assert.deepEqual(both.errors.map(({ message }) => message), [said("1"), said("2")]);
      assert.deepEqual(await files(), []);
    });
    await t.step("a pool that has become larger meanwhile takes them", async () => {
      await run(["mount", "-o", "remount,size=1200m", path]);
      await virsh("pool-refresh", pool);
      const { id } = await call(server, "create_vm", config);
      assert.deepEqual(await files(), [`${config.name}.raw`]);
      await call(server, "delete_vm", { vmId: id, deleteDisks: true });
      assert.deepEqual(await files(), []);
    });
  },
});
