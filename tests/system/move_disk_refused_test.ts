/** move_disk() refuses what it cannot move without harm, and who may not; each time nothing is made. */
import assert from "node:assert/strict";
import { contentOf } from "../testbed/backups.ts";
import { virsh } from "../testbed/libvirt.ts";
import { type TestMachine, testMachine } from "../testbed/machine.ts";
import { personWith } from "../testbed/people.ts";
import { type TestPool, testPool } from "../testbed/pool.ts";
import { exists, run } from "../testbed/process.ts";
import { call, known, readyServer, refused, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null || Deno.uid() !== 0;

/** The files of a pool, but for the bin. */
const files = async ({ path }: TestPool) =>
  (await Array.fromAsync(Deno.readDir(path))).filter(({ isFile }) => isFile).map(({ name }) => name).sort();

const emptyVm = (pool: TestPool) => testMachine({ purpose: "move", guest: false, disks: [{ pool }] });

const EVERYTHING = { kind: "everything" } as const;

/** Defines a machine again, with its XML changed. */
async function redefine(vm: TestMachine, change: (xml: string) => string): Promise<void> {
  const before = await vm.xml("--inactive"), after = change(before);
  assert.notEqual(after, before);
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, after);
    await virsh("define", path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test({
  name: "move_disk() refuses what cannot move, and leaves everything as it was",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using from = await testPool("movefrom");
    await using to = await testPool("moveto");
    const move = (vmId: string, more: { target?: string; keepSource?: boolean } = {}) =>
      call(server, "move_disk", { vmId, target: "vda", pool: to.name, ...more });
    const said = (path: string, reason: string, target = "vda") =>
      `Disk ${target} (${path}) cannot be moved: ${reason}`;

    await t.step("a disk that others share, a drive, a disk of another VM", async () => {
      await using vm = await emptyVm(from);
      const vmId = vm.uuid, path = vm.disks[0]!;
      const drive =
        `<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><target dev='sdz' bus='sata'/>` +
        "<readonly/></disk>";
      await redefine(vm, (xml) => xml.replace("</devices>", `${drive}</devices>`));
      await known(server, vmId);
      await refused(
        move(vmId, { target: "sdz" }),
        "DiskNotMovable",
        said("empty", "it is a drive: insert a medium of the other pool instead", "sdz"),
      );
      {
        await using other = await emptyVm(from);
        await redefine(other, (xml) => xml.replace(other.disks[0]!, path));
        await shows(server, other.uuid, ({ disks }) => disks[0]?.source === path);
        await refused(move(vmId), "DiskInUse");
        // Another's disk is no less in use where the old volume is kept.
        await refused(move(vmId, { keepSource: true }), "DiskInUse");
      }
      await redefine(vm, (xml) =>
        // libvirt lets raw disks alone be shared.
        xml.replace("type='qcow2'", "type='raw'").replace(
          "<target dev='vda'",
          "<shareable/><target dev='vda'",
        ));
      await shows(server, vmId, ({ disks }) => disks.some(({ shareable }) => shareable));
      await refused(move(vmId), "DiskNotMovable", said(path, "it is marked as shared with other VMs"));
    });

    await t.step("a template's disk", async () => {
      await using vm = await emptyVm(from);
      await known(server, vm.uuid);
      const { id: templateId, versions } = await call(server, "create_template", {
        vmId: vm.uuid,
        name: vm.name,
      });
      try {
        const { path } = versions[0]!.disks[0]!;
        await redefine(vm, (xml) => xml.replace(vm.disks[0]!, path));
        await shows(server, vm.uuid, ({ disks }) => disks[0]?.source === path);
        for (const keepSource of [false, true]) {
          await refused(move(vm.uuid, { keepSource }), "DiskNotMovable", /it belongs to the template/);
        }
        assert.ok(await exists(path));
      } finally {
        await redefine(vm, (xml) => xml.replace(/<source file='[^']+'/, `<source file='${vm.disks[0]}'`));
        await shows(server, vm.uuid, ({ disks }) => disks[0]?.source === vm.disks[0]);
        await call(server, "delete_template", { templateId });
      }
    });

    await t.step(
      "built on the image of a snapshot: refused; on another image: the copy stands alone",
      async () => {
        await using vm = await emptyVm(from);
        await known(server, vm.uuid);
        const above = `${from.path}/${vm.name}.one`;
        await virsh("snapshot-create-as", vm.name, "one", "--disk-only", "--diskspec", `vda,file=${above}`);
        await shows(server, vm.uuid, ({ disks }) => disks[0]?.source === above);
        await refused(
          move(vm.uuid),
          "DiskNotMovable",
          said(above, "it is built on the images of snapshots (one): delete them first, which merges them"),
        );
        await virsh("snapshot-delete", vm.name, "one", "--metadata");
        assert.deepEqual(await files(to), []);

        const base = await from.createVolume("base.qcow2", "64M");
        await run(["qemu-io", "-f", "qcow2", "-c", "write -q -P 0x5a 0 8M", base]);
        for (const isOn of [false, true]) {
          await using linked = await emptyVm(from);
          await run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", base, linked.disks[0]!]);
          await virsh("pool-refresh", from.name);
          await known(server, linked.uuid);
          if (isOn) await linked.start();
          await shows(server, linked.uuid, ({ state }) => state === (isOn ? "running" : "stopped"));
          const { path, live } = await move(linked.uuid);
          assert.equal(live, isOn);
          if (isOn) await virsh("destroy", linked.name);
          const info = JSON.parse(await run(["qemu-img", "info", "--output=json", path]));
          assert.equal(info["backing-filename"], undefined);
          assert.equal(await contentOf(path, "qcow2"), await contentOf(base, "qcow2"));
          assert.doesNotMatch(await linked.xml("--inactive"), /base\.qcow2/);
          // What it was built on is others' as well.
          assert.equal(await exists(linked.disks[0]!), false);
          assert.ok(await exists(base));
        }
      },
    );

    await t.step("an image that another volume is built on stays, or is not moved", async () => {
      await using vm = await emptyVm(from);
      const path = vm.disks[0]!;
      const above = `${from.path}/above.qcow2`;
      await run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", path, above]);
      await virsh("pool-refresh", from.name);
      await known(server, vm.uuid);
      await refused(
        move(vm.uuid),
        "DiskNotMovable",
        /the volume above\.qcow2 of .* is built on it: keep the old volume$/,
      );
      const { oldVolume } = await move(vm.uuid, { keepSource: true });
      assert.equal(oldVolume.isThere, true);
      assert.ok(await exists(path));
      for (const each of [above, path]) await Deno.remove(each);
    });

    await t.step("while a block job or a backup of another program works on it", async () => {
      await using vm = await emptyVm(from);
      const vmId = vm.uuid, path = vm.disks[0]!;
      await vm.start();
      await shows(server, vmId, ({ state }) => state === "running");
      const copy = `${from.path}/mirror.qcow2`, before = await files(to);
      await virsh("blockcopy", vm.name, "vda", copy, "--format", "qcow2", "--transient-job");
      const text = "QEMU copies or merges disk vda of the VM just now: wait until that has ended";
      await refused(move(vmId), "DiskNotMovable", said(path, text));
      await virsh("blockjob", vm.name, "vda", "--abort");
      await Deno.remove(copy);

      const folder = await Deno.makeTempDir(), asked = `${folder}/backup.xml`;
      await Deno.chmod(folder, 0o777);
      await Deno.writeTextFile(
        asked,
        `<domainbackup mode='pull'><server transport='unix' socket='${folder}/nbd'/><disks>` +
          `<disk name='vda' type='file'><scratch file='${from.path}/scratch.qcow2'/></disk></disks></domainbackup>`,
      );
      await virsh("backup-begin", vm.name, asked);
      await refused(
        move(vmId),
        "DiskNotMovable",
        /the VM's disks are being copied just now, by a backup or a clone/,
      );
      await virsh("domjobabort", vm.name);
      await Deno.remove(folder, { recursive: true });
      assert.deepEqual(await files(to), before);
    });

    await t.step("QEMU ends in the copy: the VM is off, on what it had, and starts", async () => {
      await using vm = await emptyVm(from);
      await run(["qemu-io", "-f", "qcow2", "-c", "write -q -P 0x5a 0 48M", vm.disks[0]!]);
      await vm.start();
      await shows(server, vm.uuid, ({ state }) => state === "running");
      const pid = (await vm.qemuPid())!, before = await files(to);
      const asked = refused(move(vm.uuid), "DiskMoveFailed");
      await until("the copy", async () => (await files(to)).length > before.length, { every: 5 });
      Deno.kill(pid, "SIGKILL");
      await asked;
      assert.deepEqual(await files(to), before);
      assert.match(await vm.xml("--inactive"), new RegExp(`<source file='${vm.disks[0]}'`));
      await vm.start();
      await shows(server, vm.uuid, ({ state }) => state === "running");
      // Nothing of the copy holds the VM: it moves now.
      assert.equal((await move(vm.uuid)).live, true);
    });

    await t.step("too little room, and pools that are mounted read-only", async () => {
      await using vm = await emptyVm(from);
      const vmId = vm.uuid, path = vm.disks[0]!;
      await run(["qemu-io", "-f", "qcow2", "-c", "write -q -P 0x5a 0 48M", path]);
      await virsh("pool-refresh", from.name);
      await known(server, vmId);
      for (const folder of [to.path, from.path]) {
        await run(["mount", "--bind", folder, folder]);
        try {
          await run(["mount", "-o", "remount,bind,ro", folder]);
          await refused(move(vmId), "StoragePoolReadOnly");
        } finally {
          await run(["umount", folder]);
        }
      }
      await run(["mount", "-t", "tmpfs", "-o", "size=14m", "tmpfs", to.path]);
      try {
        await virsh("pool-refresh", to.name);
        await refused(move(vmId), "DiskExceedsPool");
        assert.deepEqual(await files(to), []);
      } finally {
        await run(["umount", to.path]);
        await virsh("pool-refresh", to.name);
      }
      await virsh("pool-destroy", to.name);
      const isOff = async () =>
        (await call(server, "get_storage_pool", { pool: to.name })).state === "inactive";
      await until("the pool to be off", isOff);
      await refused(move(vmId), "StoragePoolNotActive");
      await virsh("pool-start", to.name);
      assert.match(await vm.xml("--inactive"), new RegExp(`<source file='${path}'`));
    });
  },
});

Deno.test({
  name: "move_disk(): who may not delete keeps the old volume, and who may not change storage moves nothing",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    await using from = await testPool("movefrom");
    await using to = await testPool("moveto");
    await using vm = await emptyVm(from);
    const vmId = vm.uuid;
    await known(server, vmId);
    const input = { vmId, target: "vda", pool: to.name };
    const operator = await personWith(server, "operator", [{ role: "operator", on: EVERYTHING }]);
    const text = "Deleting the old volume is for administrators: keep it (keepSource)";
    await refused(operator.call("move_disk", input), "Forbidden", text);
    const ofVm = { kind: "vm", vmId } as const;
    for (
      const [name, grant] of [
        ["viewer", { role: "viewer", on: EVERYTHING }],
        ["viewer-vm", { role: "viewer", on: ofVm }],
        ["operator-vm", { role: "operator", on: ofVm }],
      ] as const
    ) {
      const person = await personWith(server, name, [grant]);
      for (const keepSource of [false, true]) {
        await refused(person.call("move_disk", { ...input, keepSource }), "Forbidden");
      }
    }
    assert.deepEqual(await files(to), []);
    const { oldVolume, path } = await operator.call("move_disk", { ...input, keepSource: true });
    assert.equal(oldVolume.isThere, true);
    assert.ok(await exists(vm.disks[0]!) && await exists(path));
    await Deno.remove(vm.disks[0]!);
  },
});
