/** Checks that a pool's free space is read from its file system, not from libvirt's last refresh. */
import assert from "node:assert/strict";
import { virsh } from "../testbed/libvirt.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { deleteVolume } from "../testbed/delete_volume.ts";
import { call, knownPool, readyServer, refused } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("qemu") !== null || Deno.uid() !== 0;
const MIB = 1024 ** 2;

Deno.test({
  name: "a pool has the room that its file system has, be libvirt's figures of yesterday",
  ignore,
  fn: async (t) => {
    await using undo = new AsyncDisposableStack();
    const { name: pool, path } = undo.use(await testPool("stale"));
    await run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", path]);
    undo.defer(async () => void await run(["umount", path]));
    const filler = `${path}/.filler`;
    const fill = (mib: number) => Deno.writeFile(filler, new Uint8Array(mib * MIB));
    await fill(56);
    await virsh("pool-refresh", pool);
    const server = undo.use(await readyServer({ env: { KVMM_BIN_DAYS: "7" } }));
    await knownPool(server, pool);
    const free = async () =>
      (await call(server, "get_storage_pools")).find(({ name }) => name === pool)
        ?.availableBytes ?? 0;
    const full = (name: string, mib: number) =>
      call(server, "create_volume", {
        pool,
        name,
        format: "raw",
        capacityBytes: mib * MIB,
        preallocation: "full",
      });
    await call(server, "update_bin_policy", { freePercent: 0 });

    await t.step("space that was freed without libvirt is free, and is used", async () => {
      await Deno.remove(filler);
      assert.match(await virsh("pool-info", "--bytes", pool), /Available:\s+8\d{6}\b/);
      await full("a.img", 20);
      assert.ok(await free() > 40 * MIB, `${await free()}`);
    });
    await t.step("nothing goes out of the bin for room that is there", async () => {
      const { bin } = await deleteVolume(server, pool, "a.img");
      await fill(40);
      await virsh("pool-refresh", pool);
      await Deno.remove(filler);
      await full("b.img", 20);
      assert.ok((await call(server, "list_bin")).some(({ id }) => id === bin!.entryId));
      await call(server, "delete_bin_entry", { entryId: bin!.entryId });
    });
    await t.step("space that was taken without libvirt is refused before anything is made", async () => {
      await virsh("pool-refresh", pool);
      await fill(40);
      await refused(full("c.img", 20), "DiskExceedsPool");
    });
  },
});
