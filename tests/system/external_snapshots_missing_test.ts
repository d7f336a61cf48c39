/** No snapshot is deleted while images of its VM are missing: their pool's folder is away, as one is whose server is down. */
import assert from "node:assert/strict";
import { testFolder } from "../testbed/folder.ts";
import { privateLibvirt } from "../testbed/private_libvirt.ts";
import { call, known, knownPool, refused } from "../testbed/product.ts";
import { startServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("guest") !== null;

Deno.test({
  name: "delete_snapshot() deletes nothing while the folder of the images is away",
  ignore,
  fn: async (t) => {
    await using host = await privateLibvirt("missing-images");
    await using folder = await testFolder();
    const images = `${folder.path}/images`, away = `${images}.away`;
    await Deno.mkdir(images);
    await host.virsh("pool-define-as", "images", "dir", "--target", images);
    await host.virsh("pool-start", "images");
    await host.virsh("vol-create-as", "images", "disk.img", "8M", "--format", "raw");
    const machine = await host.machine({
      disks: [{ path: `${images}/disk.img`, format: "raw", bus: "virtio" }],
    });
    await using server = await startServer({ uri: host.uri });
    const vmId = machine.uuid;
    await known(server, vmId);
    await knownPool(server, "images");
    for (const name of ["one", "two"]) await call(server, "create_snapshot", { vmId, name, memory: false });
    const names = async () => (await Array.fromAsync(Deno.readDir(images), ({ name }) => name)).toSorted();
    const before = await names();
    assert.equal(before.length, 3);
    const remove = (name: string) => call(server, "delete_snapshot", { vmId, name });

    for (const isRefreshed of [false, true]) {
      await t.step(isRefreshed ? "libvirt has noticed it" : "nothing has noticed it yet", async () => {
        await Deno.rename(images, away);
        if (isRefreshed) {
          await host.virsh("pool-refresh", "images").catch(() => "it fails, and is stopped by that");
        }
        for (const name of ["one", "two"]) {
          await refused(
            remove(name),
            "SnapshotNotDeletable",
            /is missing\. Put it back, or start its storage pool/,
          );
        }
        await Deno.rename(away, images);
        if (isRefreshed) await host.virsh("pool-start", "images");
        assert.deepEqual(await names(), before);
        await knownPool(server, "images");
      });
    }
    await t.step("once it is back, both are deleted", async () => {
      await call(server, "refresh_storage_pool", { pool: "images" });
      await remove("two");
      await remove("one");
      assert.deepEqual(await names(), ["disk.img"]);
    });
  },
});
