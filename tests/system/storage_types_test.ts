/**
 * Pools of other types than folders, on real loop devices and real servers on loopback: what needs
 * drivers of the kernel, under another one.
 */
import assert from "node:assert/strict";
import { virsh } from "../testbed/libvirt.ts";
import { loopDevice } from "../testbed/loop.ts";
import { filesOf, releaseName, testName } from "../testbed/names.ts";
import { ensureOtherKernel, isOtherKernel, passesUnderOtherKernel } from "../testbed/other_kernel.ts";
import { ensurePackages } from "../testbed/packages.ts";
import { exists, run } from "../testbed/process.ts";
import { call, readyServer, refused } from "../testbed/product.ts";
import { removeFiles, removePool } from "../testbed/removal.ts";
import { requirement } from "../testbed/skip.ts";
import type { TestServer } from "../testbed/server.ts";
import { Unavailable } from "../testbed/unavailable.ts";
import { delay, until } from "../testbed/wait.ts";

const MIB = 2 ** 20;

/** Why something cannot be tested here; null where it can. */
async function lack(what: string, need: () => Promise<unknown>): Promise<string | null> {
  if (Deno.uid() !== 0) return "only root can mount";
  const noQemu = await requirement("qemu");
  if (noQemu !== null) return noQemu;
  try {
    await need();
    return null;
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    console.error(`SKIP ${what}: ${error.message}`);
    return error.message;
  }
}

async function loopDevices(): Promise<void> {
  await ensurePackages("e2fsprogs", "util-linux", "lvm2");
  const file = await Deno.makeTempFile({ prefix: "kvmm-test-" });
  await using _device = await loopDevice(file, 1);
}
const noLoop = await lack("loop devices", loopDevices);

const noKernel = noLoop ?? (isOtherKernel ? null : await lack("LVM, NFS and iSCSI", ensureOtherKernel));
/** A name for a pool, and a folder for its files. */
async function place(purpose: string) {
  const name = await testName(purpose);
  await Deno.mkdir(filesOf(name), { recursive: true });
  return {
    name,
    files: filesOf(name),
    path: `${filesOf(name)}/mount`,
    [Symbol.asyncDispose]: async () => {
      await removePool(name);
      await removeFiles(name);
      await releaseName(name);
    },
  };
}

const isMounted = async (path: string) =>
  (await Deno.readTextFile("/proc/self/mounts")).includes(` ${path} `);

Deno.test({
  name:
    "a file system on a device becomes a pool, is refused when there is one already, and goes with its content",
  ignore: noLoop !== null,
  fn: async (t) => {
    await using pool = await place("fs");
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
  ignore: noLoop !== null,
  fn: async () => {
    await using pool = await place("vg");
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
      call(server, "find_storage_sources", { type: "logical", host: "nas" }),
      "InvalidInput",
      /host/,
    );
    await refused(call(server, "find_storage_sources", { type: "netfs" }), "InvalidInput", /host is missing/);
    for (const host of ["-rf", "a b", "$(id)", "nas\n"]) {
      await refused(server.call("find_storage_sources", { type: "netfs", host }), "InvalidInput", /host/);
    }
    const gluster = (await call(server, "get_storage_pool_types")).find(({ type }) => type === "gluster");
    if (gluster?.available === false) {
      await refused(
        call(server, "find_storage_sources", { type: "gluster", host: "nas" }),
        "NotOnThisHost",
        /install libvirt-daemon-driver-storage-gluster/,
      );
    }
  },
});

/** LVM: libvirt makes a volume group on a device. */
async function volumeGroup(server: TestServer): Promise<void> {
  await using pool = await place("lvm");
  const group = pool.name.replaceAll("-", "_");
  await using device = await loopDevice(`${pool.files}/disk`, 96);
  const made = await call(server, "create_storage_pool", {
    name: pool.name,
    type: "logical",
    sourceName: group,
    device: device.path,
    build: true,
  });
  assert.deepEqual([made.state, made.keepsFiles], ["running", false]);
  const volume = await call(server, "create_volume", {
    pool: pool.name,
    name: "a",
    capacityBytes: 8 * MIB,
  });
  assert.equal(volume.type, "block");
  const copy = await call(server, "clone_volume", { pool: pool.name, volume: "a", name: "b" });
  assert.equal(copy.capacityBytes, 8 * MIB);
  await call(server, "delete_storage_pool", { pool: pool.name, deleteContent: true });
  assert.equal((await run(["vgs", "--noheadings", "-o", "vg_name"])).includes(group), false);
}

/** With no threads the server does not answer, as one that is gone: nothing else waits for it (fault 9). */
async function hangs(server: TestServer, pool: string): Promise<void> {
  let refresh: Promise<unknown> | undefined;
  await run(["rpc.nfsd", "0"]);
  try {
    // Refused in time, or done when it is back: both are right
    refresh = call(server, "refresh_storage_pool", { pool }).catch(() => undefined);
    await delay(1000);
    for (const command of ["get_vms", "get_storage_pools", "get_networks"] as const) {
      const began = performance.now();
      await call(server, command);
      assert.ok(performance.now() - began < 3000, command);
    }
    await refused(call(server, "get_volumes", { pool }), "LibvirtTimeout");
  } finally {
    await run(["rpc.nfsd", "2"]);
  }
  await refresh;
  await until("the pool to heal", () => call(server, "get_volumes", { pool }).catch(() => null), {
    seconds: 90,
  });
}

/** NFS: found, mounted, hanging, healed. */
async function nfsExport(server: TestServer): Promise<void> {
  await using pool = await place("nfs");
  const shared = `${pool.files}/export`;
  await Deno.mkdir(shared);
  await run(["exportfs", "-o", "rw,no_root_squash,insecure,fsid=99", `127.0.0.1:${shared}`]);
  try {
    const found = await call(server, "find_storage_sources", { type: "netfs", host: "127.0.0.1" });
    assert.ok(found.some(({ sourcePath }) => sourcePath === shared), JSON.stringify(found));
    await call(server, "create_storage_pool", {
      name: pool.name,
      type: "netfs",
      host: "127.0.0.1",
      sourcePath: shared,
      path: pool.path,
    });
    await call(server, "create_volume", {
      pool: pool.name,
      name: "a.raw",
      capacityBytes: MIB,
      format: "raw",
    });
    assert.equal(await exists(`${shared}/a.raw`), true);
    await hangs(server, pool.name);
    await call(server, "delete_storage_pool", { pool: pool.name });
  } finally {
    await run(["exportfs", "-u", `127.0.0.1:${shared}`]);
  }
}

/** iSCSI: found, and what it has is not ours to make. */
async function iscsiTarget(server: TestServer): Promise<void> {
  await using pool = await place("iscsi");
  const iqn = `iqn.2020-01.test.kvmm:${pool.name}`;
  await run(["truncate", "-s", "16M", `${pool.files}/lun`]);
  const target = ["tgtadm", "--lld", "iscsi", "--tid", "77", "--mode"];
  await run([...target, "target", "--op", "new", "--targetname", iqn]);
  try {
    await run([
      ...target,
      "logicalunit",
      "--op",
      "new",
      "--lun",
      "1",
      "--backing-store",
      `${pool.files}/lun`,
    ]);
    await run([...target, "target", "--op", "bind", "--initiator-address", "127.0.0.1"]);
    const found = await call(server, "find_storage_sources", { type: "iscsi", host: "127.0.0.1" });
    assert.ok(found.some(({ device }) => device === iqn), JSON.stringify(found));
    const made = await call(server, "create_storage_pool", {
      name: pool.name,
      type: "iscsi",
      host: "127.0.0.1",
      device: iqn,
    });
    assert.equal(made.fixed, true);
    assert.equal((await call(server, "get_volumes", { pool: pool.name })).length, 1);
    await refused(
      call(server, "create_volume", { pool: pool.name, name: "a", capacityBytes: MIB }),
      "NotOnThisHost",
    );
    await call(server, "delete_storage_pool", { pool: pool.name });
  } finally {
    await run([...target, "target", "--op", "delete", "--force"]);
  }
}

const KERNEL_TEST = "a volume group, an NFS export and an iSCSI target become pools, are used, and go";

/** All with one server: there each start of a program takes its time. */
async function kernelPools(t: Deno.TestContext): Promise<void> {
  await using server = await readyServer();
  await t.step("a volume group is made on a device, keeps raw volumes, and goes", () => volumeGroup(server));
  await t.step("an NFS export is found and becomes a pool", () => nfsExport(server));
  await t.step("an iSCSI target becomes a pool whose volumes are its LUNs", () => iscsiTarget(server));
}

Deno.test({
  name: KERNEL_TEST,
  // Not of this machine's kernel and daemons, whatever it has of its own.
  ignore: noKernel !== null,
  fn: isOtherKernel
    ? kernelPools
    : () => passesUnderOtherKernel("tests/system/storage_types_test.ts", KERNEL_TEST),
});
