/** Volumes encrypted with LUKS: made with a secret, opened by machines, gone with the volume. qemu-img is a witness. */
import assert from "node:assert/strict";
import { inGuest } from "../testbed/exec.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { filesOf, releaseName, testName } from "../testbed/names.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { call, known, readyServer, refused } from "../testbed/product.ts";
import { removeDomain } from "../testbed/removal.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;
const MIB = 2 ** 20;
const PASSPHRASE = `correct 'horse" <battery> ${crypto.randomUUID()} `;
const PLAIN = "what the guest wrote in plain words";

Deno.test({
  name: "create_volume() encrypts, VMs open it, and its passphrase goes with it",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("luks");
    await using vm = await testMachine({ purpose: "luks", start: true });
    await using server = await readyServer();
    await known(server, vm.uuid);
    const at = (volume: string) => ({ pool: pool.name, volume });
    const path = (name: string) => `${pool.path}/${name}`;
    const secrets = async () =>
      (await virsh("secret-list")).split("\n").filter((line) => line.includes(pool.path));
    const create = (input: Record<string, unknown>) =>
      server.call("create_volume", {
        pool: pool.name,
        capacityBytes: 64 * MIB,
        encryption: { passphrase: PASSPHRASE },
        ...input,
      });

    await t.step("create_volume() makes a LUKS container that the passphrase opens", async () => {
      const made = await call(server, "create_volume", {
        pool: pool.name,
        name: "a.luks",
        capacityBytes: 64 * MIB,
        encryption: { passphrase: PASSPHRASE },
      });
      assert.deepEqual([made.format, made.capacityBytes, made.encrypted], ["raw", 64 * MIB, true]);
      const secretFile = `${filesOf(pool.name)}/passphrase`;
      await Deno.writeTextFile(secretFile, PASSPHRASE, { mode: 0o600 });
      const image = `driver=luks,file.filename=${path("a.luks")},key-secret=s`;
      const opened = await run([
        "qemu-io",
        "--object",
        `secret,id=s,file=${secretFile}`,
        "--image-opts",
        image,
        "-c",
        "read -v 0 16",
      ]);
      assert.match(opened, /read 16\/16 bytes/);
      assert.equal((await secrets()).length, 1);
      await assert.rejects(
        virsh("secret-get-value", (await secrets())[0]!.trim().split(/\s+/)[0]!),
        /private/,
      );
    });
    await t.step("it is told as encrypted also when its pool was read again", async () => {
      await call(server, "refresh_storage_pool", { pool: pool.name });
      assert.match(
        await virsh("vol-dumpxml", "a.luks", "--pool", pool.name),
        /<secret type='passphrase' uuid=/,
      );
      const [volume] = await call(server, "get_volumes", { pool: pool.name });
      assert.equal(volume?.encrypted, true);
    });
    await t.step("resize_volume() makes it larger", async () => {
      const grown = await call(server, "resize_volume", { ...at("a.luks"), capacityBytes: 80 * MIB });
      assert.equal(grown.capacityBytes, 80 * MIB);
    });
    await t.step(
      "a running guest gets it by attach_disk(), and what it writes is not on the host in plain",
      async () => {
        await vm.waitForBoot();
        await vm.waitForAgent();
        const { target } = await call(server, "attach_disk", {
          vmId: vm.uuid,
          path: `${pool.name}/a.luks`,
        });
        await until(
          "the disk in the guest",
          async () => (await inGuest(vm, "ls /sys/block")).includes(target),
        );
        assert.equal(Number(await inGuest(vm, `cat /sys/block/${target}/size`)) * 512, 80 * MIB);
        await inGuest(vm, `echo '${PLAIN}' | dd of=/dev/${target} bs=512 conv=notrunc,fsync`);
        assert.match(await inGuest(vm, `dd if=/dev/${target} bs=512 count=1 | head -n 1`), new RegExp(PLAIN));
        await assert.rejects(run(["grep", "-q", PLAIN, path("a.luks")]));
        await refused(call(server, "delete_volume", at("a.luks")), "VolumeInUse");
      },
    );
    await t.step("it is there again after the next boot, from what was stored", async () => {
      await call(server, "force_stop_vm", { vmId: vm.uuid });
      await refused(call(server, "clone_vm", { vmId: vm.uuid, name: `${vm.name}-x` }), "DiskNotClonable");
      await call(server, "start_vm", { vmId: vm.uuid });
      await vm.waitForBoot();
      await vm.waitForAgent();
      assert.match(await inGuest(vm, "dd if=/dev/vda bs=512 count=1 | head -n 1"), new RegExp(PLAIN));
      await call(server, "force_stop_vm", { vmId: vm.uuid });
      await call(server, "detach_disk", { vmId: vm.uuid, target: "vda" });
    });
    await t.step("create_vm() takes it as a disk", async () => {
      const name = await testName("luksvm");
      try {
        const { id } = await call(server, "create_vm", {
          name,
          cpuCount: 1,
          memoryMb: 128,
          osType: "linux",
          disks: [{ path: `${pool.name}/a.luks` }],
          nics: [],
          virtType: "qemu",
        });
        assert.match(await virsh("dumpxml", name), /<encryption format='luks'/);
        await call(server, "start_vm", { vmId: id });
        assert.equal((await virsh("domstate", name)).trim(), "running");
        await call(server, "force_stop_vm", { vmId: id });
        await call(server, "delete_vm", { vmId: id });
      } finally {
        await removeDomain(name);
        await releaseName(name);
      }
    });
    await t.step("clone_volume() and convert_volume() refuse it with the reason", async () => {
      await refused(
        call(server, "clone_volume", { ...at("a.luks"), name: "b.raw" }),
        "DiskRefused",
        /it is encrypted/,
      );
    });
    await t.step("the passphrase is nowhere but with libvirt", async () => {
      const audit = JSON.stringify(await call(server, "get_activity", { limit: 100 }));
      assert.equal(audit.includes("horse"), false);
      assert.equal(server.log().includes("horse"), false);
      assert.equal(
        JSON.stringify(await call(server, "get_volumes", { pool: pool.name })).includes("horse"),
        false,
      );
    });
    await t.step(
      "create_volume() refuses what LUKS cannot have, without telling the passphrase",
      async () => {
        for (const passphrase of ["short", "", "line\nbreak and more", "x".repeat(513)]) {
          await refused(create({ name: "b.luks", encryption: { passphrase } }), "InvalidInput", /passphrase/);
        }
        await refused(
          create({ name: "b.luks", format: "qcow2" }),
          "InvalidInput",
          /an encrypted volume is raw/,
        );
        await refused(create({ name: "b.luks", backing: at("a.luks") }), "InvalidInput");
      },
    );
    await t.step("what fails leaves no secret", async () => {
      const before = await secrets();
      await Deno.writeTextFile(path("unseen.luks"), "a file that the pool has not seen");
      await refused(create({ name: "unseen.luks" }), "VolumeExists");
      assert.deepEqual(await secrets(), before);
    });
    await t.step("delete_volume() removes the secret, too", async () => {
      await call(server, "delete_volume", at("a.luks"));
      assert.deepEqual(await secrets(), []);
    });
  },
});
