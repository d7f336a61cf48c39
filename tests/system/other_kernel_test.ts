/**
 * Tests with drivers that this machine's kernel may lack, with real servers on loopback: under another kernel, so that
 * this machine is never touched.
 */
import assert from "node:assert/strict";
import { loopDevice } from "../testbed/loop.ts";
import { releaseName, testName } from "../testbed/names.ts";
import { isOtherKernel, passesUnderOtherKernel } from "../testbed/other_kernel.ts";
import { poolPlace } from "../testbed/pool.ts";
import { exists, run } from "../testbed/process.ts";
import { call, readyServer, refusal, refused } from "../testbed/product.ts";
import type { TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { delay, until } from "../testbed/wait.ts";

const MIB = 2 ** 20;

/** LVM: libvirt makes a volume group on a device. */
async function volumeGroup(server: TestServer): Promise<void> {
  await using pool = await poolPlace("lvm");
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
    const { code } = await refusal(call(server, "get_volumes", { pool }));
    assert.ok(["StorageNotResponding", "StoragePoolNotResponding", "LibvirtTimeout"].includes(code), code);
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
  await using pool = await poolPlace("nfs");
  const shared = `${pool.files}/export`;
  await Deno.mkdir(shared);
  await run(["exportfs", "-o", "rw,no_root_squash,insecure,fsid=99", `127.0.0.1:${shared}`]);
  try {
    const found = await call(server, "find_storage_sources", { type: "netfs", sourceHost: "127.0.0.1" });
    assert.ok(found.some(({ sourcePath }) => sourcePath === shared), JSON.stringify(found));
    const input = { sourceHost: "127.0.0.1", sourcePath: shared, path: pool.path };
    await call(server, "create_storage_pool", { name: pool.name, type: "netfs", ...input }).catch(
      // What mount(8) is told is with the kernel alone
      async (error) => {
        throw new Error(`${error.message}\n${(await run(["dmesg"])).slice(-2000)}`, { cause: error });
      },
    );
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
  await using pool = await poolPlace("iscsi");
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
    const found = await call(server, "find_storage_sources", { type: "iscsi", sourceHost: "127.0.0.1" });
    assert.ok(found.some(({ device }) => device === iqn), JSON.stringify(found));
    const made = await call(server, "create_storage_pool", {
      name: pool.name,
      type: "iscsi",
      sourceHost: "127.0.0.1",
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

/** A network's limits are the kernel's own, in its units: 1 KiB/s is 8 kbit/s, as libvirt reckons. */
async function bandwidth(server: TestServer): Promise<void> {
  const name = await testName("bandwidth");
  await call(server, "create_network", {
    name,
    mode: "isolated",
    ipv4: { address: "10.77.0.1/24" },
    bandwidth: {
      inbound: { averageKib: 1000, peakKib: 5000, burstKib: 1024 },
      outbound: { averageKib: 500 },
    },
  });
  const { bridge } = await call(server, "get_network", { name });
  const classes = await run(["tc", "class", "show", "dev", bridge!]);
  assert.match(classes, /htb 1:2 .*rate 8Mbit ceil 40Mbit burst 1Mb/);
  assert.match(await run(["tc", "filter", "show", "dev", bridge!, "parent", "ffff:"]), /rate 4Mbit/);
  await call(server, "delete_network", { name, force: true });
  await releaseName(name);
}

const NAME = "LVM, NFS, iSCSI and limits of bandwidth, with real drivers and servers";

/** All with one server: there each start of a program takes its time. */
async function everything(t: Deno.TestContext): Promise<void> {
  await using server = await readyServer();
  await t.step("a volume group is made on a device, keeps raw volumes, and goes", () => volumeGroup(server));
  await t.step("an NFS export is found and becomes a pool", () => nfsExport(server));
  await t.step("an iSCSI target becomes a pool whose volumes are its LUNs", () => iscsiTarget(server));
  await t.step("a network's bandwidth is limited by the kernel as it was said", () => bandwidth(server));
}

Deno.test({
  name: NAME,
  // Not of this machine's kernel and daemons, whatever it has of its own.
  ignore: await requirement("qemu", "otherKernel") !== null,
  fn: isOtherKernel ? everything : () => passesUnderOtherKernel("tests/system/other_kernel_test.ts", NAME),
});
