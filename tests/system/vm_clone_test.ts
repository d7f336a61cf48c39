/** clone_vm: full and linked copies that boot, what they have of their own, what is refused, and what is undone. */
import assert from "node:assert/strict";
import { virsh } from "../testbed/libvirt.ts";
import { type TestMachine, testMachine } from "../testbed/machine.ts";
import { releaseName, testName } from "../testbed/names.ts";
import { testNetwork } from "../testbed/network.ts";
import { testPool } from "../testbed/pool.ts";
import { exists, run } from "../testbed/process.ts";
import { call, known, knownPool, readyServer, refusal, refused, shows } from "../testbed/product.ts";
import { removeDomain } from "../testbed/removal.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";
import { trapImage } from "../testbed/trap_image.ts";

const ignore = await requirement("guest") !== null;

/** A name for a clone, which is removed in the end; its disks lie in the test's pool and go with that. */
async function cloneName(): Promise<{ name: string } & AsyncDisposable> {
  const name = await testName("copy");
  return {
    name,
    [Symbol.asyncDispose]: async () => {
      await removeDomain(name);
      await releaseName(name);
    },
  };
}

const info = async (path: string) =>
  JSON.parse(await run(["qemu-img", "info", "-U", "--output=json", path])) as Record<string, unknown>;

/** Writes a pattern to the start of a disk, or reads it there. */
const io = (path: string, format: string, command: "write" | "read") =>
  run(["qemu-io", "-f", format, "-c", `${command} -P 0x5a 0 64k`, path]);

async function boots(name: string, original: TestMachine): Promise<void> {
  const log = `${original.serialLog}-${name}`;
  await virsh("start", name);
  await until(`${name} to boot`, async () => await exists(log) && (await Deno.readTextFile(log)).length > 0, {
    seconds: 60,
  });
  await until(
    `the agent of ${name}`,
    async () =>
      /connected/.test(await virsh("dumpxml", name)) &&
      / state='connected'/.test(await virsh("dumpxml", name)),
    { seconds: 90 },
  );
}

Deno.test({
  name: "clone_vm() makes a copy that boots, with an identity of its own",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using network = await testNetwork();
    await using pool = await testPool("clone");
    await using vm = await testMachine({
      purpose: "clone",
      network,
      vnc: { password: "planted7" },
      disks: [{ pool }, { pool, format: "raw" }],
    });
    await known(server, vm.uuid);
    const [qcow2, raw] = vm.disks as [string, string];
    await io(qcow2, "qcow2", "write");
    await io(raw, "raw", "write");
    await call(server, "set_tags", { vmId: vm.uuid, tags: ["kept"] });

    await t.step("full: its disks are copies of their own", async () => {
      await using own = await cloneName();
      const before = Date.now();
      const clone = await call(server, "clone_vm", { vmId: vm.uuid, name: own.name });
      const { createdAt } = await known(server, clone.vmId);
      assert.ok(createdAt! >= before, "it was made now, not with the original");
      assert.deepEqual(clone.disks.map(({ target, source }) => [target, source]), [["vda", qcow2], [
        "vdb",
        raw,
      ]]);
      const seen = await known(server, clone.vmId);
      // A tag would have schedules and backups take the copy, too.
      assert.deepEqual([seen.name, seen.tags, seen.state], [own.name, [], "stopped"]);
      const xml = await virsh("dumpxml", own.name, "--inactive", "--security-info");
      assert.equal(await virsh("domuuid", own.name), clone.vmId);
      assert.doesNotMatch(xml, new RegExp(`${vm.mac}|${vm.uuid}|${qcow2}|${raw}`));
      assert.match(xml, /<mac address='52:54:00:[0-9a-f:]+'\/>/);
      assert.match(xml, /passwd='planted7'/);
      await io(clone.disks[0]!.path, "qcow2", "read");
      await io(clone.disks[1]!.path, "raw", "read");
      assert.equal((await info(clone.disks[0]!.path))["backing-filename"], undefined);
      await boots(own.name, vm);
    });
    await t.step("linked: its disks are overlays that say their backing format", async () => {
      await using own = await cloneName();
      const linked = () => call(server, "clone_vm", { vmId: vm.uuid, name: own.name, linked: true });
      await refused(linked(), "DiskNotClonable", /it is raw.*clone it in full/);
      await virsh("detach-disk", vm.name, "vdb", "--config");
      await shows(server, vm.uuid, ({ disks }) => disks.length === 1);
      const { disks: [disk] } = await linked();
      const found = await info(disk!.path);
      assert.deepEqual(
        [found.format, found["backing-filename"], found["backing-filename-format"]],
        ["qcow2", qcow2, "qcow2"],
      );
      await io(disk!.path, "qcow2", "read");
      await boots(own.name, vm);
      await virsh("destroy", own.name);
      await shows(server, vm.uuid, () => true);
      const plan = await call(server, "get_delete_plan", { vmId: vm.uuid });
      assert.deepEqual(plan.disks.map(({ deletable, reason }) => [deletable, reason]), [
        [false, `it is also used by ${own.name}`],
      ]);
    });
  },
});

Deno.test({
  name: "clone_vm() refuses what it cannot copy safely, and undoes what it began",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using pool = await testPool("clone");
    const volumes = () => virsh("vol-list", pool.name);

    await t.step("linked ones of a running machine, a taken and a bad name", async () => {
      await using vm = await testMachine({ purpose: "clone", guest: false, start: true, disks: [{ pool }] });
      await shows(server, vm.uuid, ({ state }) => state === "running");
      const clone = (name: string) => call(server, "clone_vm", { vmId: vm.uuid, name });
      const linked = call(server, "clone_vm", { vmId: vm.uuid, name: "kvmm-test-never", linked: true });
      await refused(linked, "VmMustBeOff", /\(running now\): it writes to the disks .* Make a full clone/);
      const old = call(server, "clone_vm", { vmId: vm.uuid, name: "kvmm-test-never", snapshot: "before" });
      await refused(old, "VmMustBeOff", /it writes to the images that the snapshot is in/);
      await refused(clone(vm.name), "VmNameExists");
      await refused(clone("a/b"), "InvalidName");
      await refused(clone("-a"), "InvalidName");
    });
    await t.step(
      "a disk whose image is missing from its pool, or whose pool is off: that is said",
      async () => {
        await using vm = await testMachine({ purpose: "clone", guest: false, disks: [{ pool }] });
        await known(server, vm.uuid);
        const refusedFor = async (reason: RegExp) => {
          const asked = call(server, "clone_vm", { vmId: vm.uuid, name: "kvmm-test-never" });
          await refused(asked, "DiskNotClonable", reason);
        };
        const away = `${vm.disks[0]!}.away`;
        await Deno.rename(vm.disks[0]!, away);
        await virsh("pool-refresh", pool.name);
        await refusedFor(
          new RegExp(`there is no volume \\S+ in the storage pool ${pool.name}: the image is missing`),
        );
        await Deno.rename(away, vm.disks[0]!);
        await virsh("pool-destroy", pool.name);
        try {
          await refusedFor(new RegExp(`its storage pool ${pool.name} is not active. Start it`));
        } finally {
          await virsh("pool-start", pool.name);
        }
      },
    );
    await t.step("a pool that is not there, has no room, or is off", async () => {
      await using stack = new AsyncDisposableStack();
      const vm = stack.use(
        await testMachine({ purpose: "clone", guest: false, disks: [{ pool, format: "raw" }] }),
      );
      const tiny = stack.use(await testPool("clone-tiny"));
      await known(server, vm.uuid);
      await knownPool(server, tiny.name);
      const into = (pool: string) =>
        call(server, "clone_vm", { vmId: vm.uuid, name: "kvmm-test-never", pool });
      await refused(into("kvmm-test-none"), "StoragePoolNotFound");

      await run(["mount", "-t", "tmpfs", "-o", "size=14m", "tmpfs", tiny.path]);
      stack.defer(async () => void await run(["umount", tiny.path]));
      const disk = vm.disks[0]!;
      await run(["dd", "if=/dev/zero", `of=${disk}`, "bs=1M", "count=32", "conv=notrunc", "status=none"]);
      for (const { name } of [pool, tiny]) await virsh("pool-refresh", name);
      await refused(into(tiny.name), "DiskExceedsPool");

      await virsh("pool-destroy", tiny.name);
      await until(
        "the pool to be off",
        async () => (await call(server, "get_storage_pool", { pool: tiny.name })).state === "inactive",
      );
      await refused(into(tiny.name), "StoragePoolNotActive");
    });
    await t.step("a disk that no pool knows", async () => {
      await using vm = await testMachine({ purpose: "clone", guest: false, disks: [{ pool }, {}] });
      await known(server, vm.uuid);
      const before = await volumes();
      const { code, message } = await refusal(
        call(server, "clone_vm", { vmId: vm.uuid, name: "kvmm-test-never" }),
      );
      assert.equal(code, "DiskNotClonable");
      assert.match(message, /^Disk vdb \(.*\) cannot be cloned: it is in no storage pool/);
      assert.equal(await volumes(), before);
    });
    await t.step(
      "a raw disk into which the guest wrote a qcow2 head with a backing file (threat 2)",
      async () => {
        await using vm = await testMachine({
          purpose: "clone",
          guest: false,
          disks: [{ pool, format: "raw" }],
        });
        await known(server, vm.uuid);
        const trap = await Deno.makeTempFile({ suffix: ".qcow2" });
        try {
          await trapImage(trap);
          await Deno.writeFile(vm.disks[0]!, await Deno.readFile(trap));
        } finally {
          await Deno.remove(trap);
        }
        await virsh("pool-refresh", pool.name);
        const before = await volumes();
        for (const linked of [false, true]) {
          await refused(
            call(server, "clone_vm", { vmId: vm.uuid, name: "kvmm-test-never", linked }),
            "DiskNotClonable",
            /used as raw, but its content looks like qcow2/,
          );
        }
        assert.equal(await volumes(), before);
      },
    );
    await t.step("the second disk cannot be made: the first is removed again", async () => {
      await using vm = await testMachine({ purpose: "clone", guest: false, disks: [{ pool }, { pool }] });
      await known(server, vm.uuid);
      await using own = await cloneName();
      const { name } = own;
      await virsh("vol-create-as", pool.name, `${name}-vdb.qcow2`, "1M", "--format", "qcow2");
      const before = await volumes();
      await refused(call(server, "clone_vm", { vmId: vm.uuid, name }), "CloneFailed", /exist|already in use/);
      assert.equal(await volumes(), before);
      assert.equal((await virsh("list", "--all", "--name")).includes(name), false);
      await shows(server, vm.uuid, ({ operation }) => operation === undefined);
    });
  },
});
