/** Pools of other types than folders, on real loop devices; those of other drivers are in `other_kernel_test.ts`. */
import assert from "node:assert/strict";
import { virsh } from "../testbed/libvirt.ts";
import { loopDevice } from "../testbed/loop.ts";
import { poolPlace } from "../testbed/pool.ts";
import { exists, run } from "../testbed/process.ts";
import { call, readyServer, refused } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";

const MIB = 2 ** 20;

const ignore = await requirement("qemu", "loopDevices") !== null;

const isMounted = async (path: string) =>
  (await Deno.readTextFile("/proc/self/mounts")).includes(` ${path} `);

Deno.test({
  name:
    "a file system on a device becomes a pool, is refused when there is one already, and goes with its content",
  ignore,
  fn: async (t) => {
    await using pool = await poolPlace("fs");
    await using device = await loopDevice(`${pool.files}/disk`, 96);
    await using server = await readyServer();
    const input = {
      name: pool.name,
      type: "fs",
      device: device.path,
      path: pool.path,
      format: "ext4",
    } as const;

    await t.step("without a file system it cannot be started, and nothing is left", async () => {
      await refused(call(server, "create_storage_pool", input), "StoragePoolFailed");
      assert.equal((await virsh("pool-list", "--all", "--name")).includes(pool.name), false);
    });
    await t.step("with build one is made", async () => {
      const made = await call(server, "create_storage_pool", { ...input, build: true });
      assert.deepEqual([made.state, made.source, made.path], ["running", device.path, pool.path]);
      assert.ok(made.capacityBytes! < 96 * MIB && made.capacityBytes! > 60 * MIB);
      assert.equal(await isMounted(pool.path), true);
    });
    await t.step("volumes are files on it, and the room is the device's", async () => {
      const volume = await call(server, "create_volume", {
        pool: pool.name,
        name: "a.raw",
        capacityBytes: 8 * MIB,
        format: "raw",
        preallocation: "full",
      });
      assert.equal(volume.path, `${pool.path}/a.raw`);
      await refused(
        call(server, "create_volume", { pool: pool.name, name: "b.raw", capacityBytes: 200 * MIB }),
        "DiskExceedsPool",
      );
    });
    await t.step("deleted without content, everything is still there when it is made again", async () => {
      await call(server, "delete_storage_pool", { pool: pool.name });
      assert.equal(await isMounted(pool.path), false);
      assert.equal((await run(["blkid", "-o", "value", "-s", "TYPE", device.path])).trim(), "ext4");
      await refused(call(server, "create_storage_pool", { ...input, build: true }), "StoragePoolFailed");
      await call(server, "create_storage_pool", input);
      const [volume] = await call(server, "get_volumes", { pool: pool.name });
      assert.equal(volume?.name, "a.raw");
    });
    await t.step("deleted with its content, the volumes and the folder are gone", async () => {
      await call(server, "delete_storage_pool", { pool: pool.name, deleteContent: true });
      assert.equal(await isMounted(pool.path), false);
      assert.equal(await exists(pool.path), false);
      await Deno.mkdir(pool.path);
      await run(["mount", device.path, pool.path]);
      try {
        assert.equal(await exists(`${pool.path}/a.raw`), false);
      } finally {
        await run(["umount", pool.path]);
      }
    });
  },
});

Deno.test({
  name: "find_storage_sources() finds this host's volume groups, and says what it cannot look for",
  ignore,
  fn: async () => {
    await using pool = await poolPlace("vg");
    const group = pool.name.replaceAll("-", "_");
    await using device = await loopDevice(`${pool.files}/disk`, 32);
    await using server = await readyServer();
    await run(["vgcreate", "--quiet", group, device.path]);
    try {
      const found = await call(server, "find_storage_sources", { type: "logical" });
      assert.deepEqual(found.filter(({ sourceName }) => sourceName === group), [{ sourceName: group }]);
    } finally {
      await run(["vgremove", "--quiet", "--force", group]);
    }
    await refused(
      call(server, "find_storage_sources", { type: "logical", sourceHost: "nas" }),
      "InvalidInput",
      /sourceHost/,
    );
    await refused(
      call(server, "find_storage_sources", { type: "netfs" }),
      "InvalidInput",
      /sourceHost is missing/,
    );
    for (const sourceHost of ["-rf", "a b", "$(id)", "nas\n"]) {
      await refused(
        server.call("find_storage_sources", { type: "netfs", sourceHost }),
        "InvalidInput",
        /sourceHost/,
      );
    }
    const gluster = (await call(server, "get_storage_pool_types")).find(({ type }) => type === "gluster");
    if (gluster?.available === false) {
      await refused(
        call(server, "find_storage_sources", { type: "gluster", sourceHost: "nas" }),
        "NotOnThisHost",
        /install libvirt-daemon-driver-storage-gluster/,
      );
    }
  },
});
