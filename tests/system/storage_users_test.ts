/** Tests users of files in a pool: folders with their content, links, and files that are no disks. */
import assert from "node:assert/strict";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { filesOf } from "../testbed/names.ts";
import { poolPlace, testPool } from "../testbed/pool.ts";
import { exists, run } from "../testbed/process.ts";
import { call, known, knownPool, readyServer, refused } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import type { TestServer } from "../testbed/server.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;
const image = (path: string) => run(["qemu-img", "create", "-q", "-f", "qcow2", path, "16M"]);
const binServer = () => readyServer({ env: { KVMM_BIN_DAYS: "7" } });

/** Defines a VM again, as a change of its XML says. */
async function redefine(name: string, change: (xml: string) => string): Promise<void> {
  const path = `${filesOf(name)}/changed.xml`;
  await Deno.writeTextFile(path, change(await virsh("dumpxml", name, "--inactive")));
  await virsh("define", path);
}

const withDevice = (device: string) => (xml: string) => xml.replace("</devices>", `${device}</devices>`);
const diskAt = (path: string, target = "vdx") =>
  withDevice(
    `<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${path}'/><target dev='${target}' bus='virtio'/></disk>`,
  );

/** Names of the users of a volume, as the list shows them. */
const usersOf = async (server: TestServer, pool: string, volume: string) =>
  (await call(server, "get_volumes", { pool })).find(({ name }) => name === volume)?.usedBy
    .map(({ name }) => name);

Deno.test({
  name: "a folder is kept whose content a VM, another pool, a mount or a backup needs, and is no image",
  ignore,
  fn: async (t) => {
    await using server = await binServer();
    await using pool = await testPool("folder");
    await using vm = await testMachine({ purpose: "folder", guest: false, disks: [] });
    const folder = `${pool.path}/folder`, at = { pool: pool.name, volume: "folder" };
    await Deno.mkdir(folder);
    await image(`${folder}/in.qcow2`);
    await redefine(vm.name, diskAt(`${folder}/in.qcow2`));
    await vm.start();
    await virsh("pool-refresh", pool.name);
    await known(server, vm.uuid);

    await t.step("the VM is shown, and nothing of the folder is deleted", async () => {
      assert.deepEqual(await usersOf(server, pool.name, "folder"), [vm.name]);
      for (const permanently of [false, true]) {
        await refused(
          call(server, "delete_volume", { ...at, permanently }),
          "VolumeInUse",
          `Volume is used by ${vm.name}: folder/in.qcow2 (storage pool ${pool.name})`,
        );
      }
      assert.ok(await exists(`${folder}/in.qcow2`));
    });
    await t.step("nor with the pool and all its content", async () => {
      await virsh("destroy", vm.name);
      await refused(
        call(server, "delete_storage_pool", { pool: pool.name, deleteContent: true }),
        "StoragePoolInUse",
      );
      assert.ok(await exists(`${folder}/in.qcow2`));
    });
    await t.step("a folder is copied, converted, wiped, enlarged by nothing", async () => {
      const refusals = [
        () => call(server, "clone_volume", { ...at, name: "f2" }),
        () => call(server, "convert_volume", { ...at, name: "f2", format: "qcow2" }),
        () => call(server, "wipe_volume", at),
        () => call(server, "resize_volume", { ...at, capacityBytes: 1024 ** 3 }),
      ];
      for (const asked of refusals) await refused(asked(), "DiskRefused", /it is a folder/);
      assert.equal(await exists(`${pool.path}/f2`), false);
    });
    await t.step("another pool's folder, also where that pool is off", async () => {
      await using nest = await poolPlace("folder-nest");
      await Deno.mkdir(`${pool.path}/nest/deep`, { recursive: true });
      await virsh("pool-define-as", nest.name, "dir", "--target", `${pool.path}/nest/deep`);
      await virsh("pool-refresh", pool.name);
      await refused(
        call(server, "delete_volume", { pool: pool.name, volume: "nest" }),
        "VolumeInUse",
        new RegExp(nest.name),
      );
      assert.ok(await exists(`${pool.path}/nest/deep`));
    });
    await t.step("the folder that a backup goes to", async () => {
      await Deno.mkdir(`${pool.path}/copies`);
      await virsh("pool-refresh", pool.name);
      await call(server, "create_backup", {
        name: "nightly",
        folder: `${pool.path}/copies`,
        targets: { vmIds: [vm.uuid], tags: [], groups: [] },
      });
      await refused(
        call(server, "delete_volume", { pool: pool.name, volume: "copies" }),
        "VolumeInUse",
        /nightly/,
      );
    });
    await t.step({
      name: "a mounted file system",
      ignore: Deno.uid() !== 0,
      fn: async () => {
        const mounted = `${pool.path}/mounted`;
        await Deno.mkdir(mounted);
        await run(["mount", "-t", "tmpfs", "tmpfs", mounted]);
        try {
          await Deno.writeTextFile(`${mounted}/precious`, "x");
          await virsh("pool-refresh", pool.name);
          await refused(
            call(server, "delete_volume", { pool: pool.name, volume: "mounted" }),
            "VolumeInUse",
            /mounted/,
          );
          assert.ok(await exists(`${mounted}/precious`));
        } finally {
          await run(["umount", mounted]);
        }
      },
    });
    await t.step("unused volumes go, and are checked again at the bin's end", async () => {
      const free = `${pool.path}/free`;
      await Deno.mkdir(free);
      await image(`${free}/one.qcow2`);
      await virsh("pool-refresh", pool.name);
      const { bin } = await call(server, "delete_volume", { pool: pool.name, volume: "free" });
      const { entryId } = bin!;
      await redefine(vm.name, diskAt(`${free}/one.qcow2`, "vdy"));
      await refused(
        call(server, "delete_bin_entry", { entryId }),
        "BinEntryInUse",
        new RegExp(`${vm.name}.*free/one\\.qcow2`),
      );
      const emptied = await call(server, "empty_bin", { pool: pool.name });
      assert.equal(emptied.deleted, 0);
      assert.match(emptied.failed[0]?.message ?? "", new RegExp(vm.name));
      await call(server, "restore_bin_entry", { entryId });
      assert.ok(await exists(`${free}/one.qcow2`));
    });
  },
});

Deno.test({
  name: "a VM is a user of its files by a link, by .. and by another name of the file",
  ignore,
  fn: async (t) => {
    await using server = await binServer();
    await using pool = await testPool("users-link");
    await using alias = await poolPlace("users-alias");
    await using vm = await testMachine({ purpose: "users-link", guest: false, disks: [] });
    const link = `${filesOf(alias.name)}/flink`;
    await Deno.symlink(pool.path, link);
    await image(`${pool.path}/x.qcow2`);
    await image(`${pool.path}/y.qcow2`);
    await image(`${pool.path}/z.qcow2`);
    await Deno.link(`${pool.path}/z.qcow2`, `${filesOf(alias.name)}/hard.qcow2`);
    await virsh("pool-refresh", pool.name);
    await redefine(vm.name, (xml) =>
      diskAt(`${filesOf(alias.name)}/hard.qcow2`, "vdz")(
        diskAt(`${filesOf(alias.name)}/../${alias.name}/flink/y.qcow2`, "vdy")(
          diskAt(`${link}/x.qcow2`, "vdx")(xml),
        ),
      ));
    await vm.start();
    await known(server, vm.uuid);
    await t.step("it is shown", async () => {
      assert.deepEqual(await usersOf(server, pool.name, "x.qcow2"), [vm.name]);
      assert.deepEqual(await usersOf(server, pool.name, "y.qcow2"), [vm.name]);
      const { usedBy } = await call(server, "get_storage_pool", { pool: pool.name });
      assert.deepEqual(usedBy.map(({ name }) => name), [vm.name]);
    });
    await t.step("the pool is not stopped or removed while it runs", async () => {
      await refused(call(server, "stop_storage_pool", { pool: pool.name }), "StoragePoolInUse");
      await refused(call(server, "delete_storage_pool", { pool: pool.name }), "StoragePoolInUse");
    });
    await t.step("nothing of it is wiped or deleted", async () => {
      for (const volume of ["x.qcow2", "y.qcow2", "z.qcow2"]) {
        await refused(call(server, "wipe_volume", { pool: pool.name, volume }), "VolumeInUse");
        await refused(call(server, "delete_volume", { pool: pool.name, volume }), "VolumeInUse");
      }
    });
    await t.step("a second pool of the folder is refused by a link to it, too", async () => {
      await refused(
        call(server, "create_storage_pool", { name: alias.name, type: "dir", path: link }),
        "InvalidInput",
        new RegExp(pool.name),
      );
    });
  },
});

Deno.test({
  name:
    "every file that a VM needs is used, be it no disk: kernel, firmware, ROM, table, serial line, snapshot",
  ignore,
  fn: async (t) => {
    await using server = await binServer();
    await using pool = await testPool("users-files");
    await using vm = await testMachine({ purpose: "users-files", guest: false, disks: [{ pool }] });
    const files = [
      "kernel",
      "initrd",
      "loader",
      "nvram",
      "rom",
      "table",
      "serial",
      "fwcfg",
      "nvdimm",
      "argument",
    ] as const;
    const at = (name: string) => `${pool.path}/${name}`;
    for (const name of files) await Deno.writeFile(at(name), new Uint8Array(65536));
    await redefine(
      vm.name,
      (xml) =>
        xml.replace(
          "<domain type='qemu'>",
          "<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>",
        )
          .replace(
            /<\/os>/,
            `<loader readonly='yes' type='pflash'>${at("loader")}</loader><nvram>${at("nvram")}</nvram>` +
              `<kernel>${at("kernel")}</kernel><initrd>${at("initrd")}</initrd>` +
              `<acpi><table type='slic'>${at("table")}</table></acpi></os>` +
              `<sysinfo type='fwcfg'><entry name='opt/x' file='${at("fwcfg")}'/></sysinfo>`,
          )
          .replace(
            "</devices>",
            `<interface type='user'><model type='virtio'/><rom file='${at("rom")}'/></interface></devices>`,
          )
          .replace(
            /<serial type='[\s\S]*?<\/serial>/,
            `<serial type='file'><source path='${at("serial")}'/></serial>`,
          )
          .replace(
            "</domain>",
            `<qemu:commandline><qemu:arg value='-fw_cfg'/><qemu:arg value='name=opt/y,file=${
              at("argument")
            }'/></qemu:commandline></domain>`,
          ),
    );
    await virsh("pool-refresh", pool.name);
    await known(server, vm.uuid);
    const tested = files.filter((name) => name !== "nvdimm");
    // The VM was known before it was defined once more.
    await until(
      "the new definition to be known",
      async () => (await usersOf(server, pool.name, "kernel"))?.length === 1,
    );

    await t.step("each is shown and kept", async () => {
      for (const name of tested) {
        assert.deepEqual(await usersOf(server, pool.name, name), [vm.name], name);
        for (const command of ["delete_volume", "wipe_volume"] as const) {
          await refused(
            call(server, command, { pool: pool.name, volume: name }),
            "VolumeInUse",
            new RegExp(vm.name),
          );
        }
      }
      assert.deepEqual(await usersOf(server, pool.name, "nvdimm"), []);
    });
    await t.step("they are no rubbish to the insights, and the pool does not go with them", async () => {
      const told = JSON.stringify(await call(server, "analyze_all_vms"));
      const unused = new RegExp(`Pool ${pool.name} has disk images that no VM uses[^"]*`).exec(told)?.[0] ??
        "";
      assert.match(unused, /nvdimm/);
      for (const name of tested) assert.ok(!unused.includes(name), `${name} in: ${unused}`);
      await refused(
        call(server, "delete_storage_pool", { pool: pool.name, deleteContent: true }),
        "StoragePoolInUse",
      );
    });
    await t.step("no other VM gets one as its disk, and a VM in the bin keeps its own", async () => {
      await using other = await testMachine({ purpose: "users-other", guest: false, disks: [] });
      await known(server, other.uuid);
      await refused(
        call(server, "attach_disk", { vmId: other.uuid, path: at("kernel"), format: "raw" }),
        "DiskInUse",
      );
      await call(server, "delete_vm", { vmId: vm.uuid });
      await refused(
        call(server, "delete_volume", { pool: pool.name, volume: "kernel" }),
        "VolumeInUse",
        /in the bin/,
      );
    });
  },
});

Deno.test({
  name: "the memory of an external snapshot is used by its VM",
  ignore,
  fn: async () => {
    await using server = await binServer();
    await using pool = await testPool("users-memory");
    await using vm = await testMachine({
      purpose: "users-memory",
      guest: false,
      disks: [{ pool }],
      start: true,
    });
    await known(server, vm.uuid);
    const memory = `${pool.path}/memory.save`;
    await virsh("snapshot-create-as", vm.name, "s1", "--memspec", `file=${memory}`);
    await virsh("pool-refresh", pool.name);
    // Lists go by a reading that is some seconds old
    await until(
      "the list to know it",
      async () => (await usersOf(server, pool.name, "memory.save"))?.join() === vm.name,
    );
    await refused(
      call(server, "delete_volume", { pool: pool.name, volume: "memory.save" }),
      "VolumeInUse",
      new RegExp(vm.name),
    );
    assert.ok(await exists(memory));
  },
});

Deno.test({
  name: "a raw disk comes back from the bin as raw, under another name and whatever its guest wrote on it",
  ignore,
  fn: async () => {
    await using server = await binServer();
    await using pool = await testPool("bin-raw");
    await using vm = await testMachine({
      purpose: "bin-raw",
      guest: false,
      disks: [{ pool, format: "raw", size: "16M" }],
    });
    await known(server, vm.uuid);
    const [path = ""] = vm.disks, volume = path.slice(path.lastIndexOf("/") + 1);
    const secret = `${filesOf(vm.name)}/secret`;
    await Deno.writeTextFile(secret, "not the guest's");
    await run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", secret, "-F", "raw", `${secret}.qcow2`]);
    const disk = await Deno.open(path, { write: true });
    await disk.write((await Deno.readFile(`${secret}.qcow2`)).subarray(0, 65536));
    disk.close();
    await call(server, "detach_disk", { vmId: vm.uuid, target: "vda" });
    const { bin } = await call(server, "delete_volume", { pool: pool.name, volume });
    await call(server, "restore_bin_entry", { entryId: bin!.entryId, name: "back.img" });
    const { target } = await call(server, "attach_disk", { vmId: vm.uuid, path: `${pool.path}/back.img` });
    const xml = await virsh("dumpxml", vm.name);
    assert.match(xml, /type='raw'[^/]*\/>\s*<source file='[^']*back\.img'/, `${target}: ${xml}`);
  },
});

Deno.test({
  name: "of several things that are to go none goes where one cannot",
  ignore: ignore || Deno.uid() !== 0,
  fn: async (t) => {
    await using server = await binServer();
    await using pool = await testPool("together");
    await using undo = new AsyncDisposableStack();
    const at = (name: string) => `${pool.path}/${name}`;
    const locked = async (path: string) => {
      await run(["chattr", "+i", path]);
      undo.defer(async () => void await run(["chattr", "-i", path]).catch(() => {}));
    };
    await image(at("a.qcow2"));
    await Deno.mkdir(at("z-folder"));
    await image(at("z-folder/inside.qcow2"));
    await virsh("pool-refresh", pool.name);
    await knownPool(server, pool.name);
    const all = { pool: pool.name, deleteContent: true };

    await t.step("a pool with a folder that has something: its volumes are all there", async () => {
      await refused(call(server, "delete_storage_pool", all), "VolumeDeleteFailed", /z-folder.*not empty/);
      assert.ok(await exists(at("a.qcow2")));
    });
    await t.step("a folder in the bin of which one file cannot go is whole", async () => {
      await image(at("z-folder/more.qcow2"));
      const { bin } = await call(server, "delete_volume", { pool: pool.name, volume: "z-folder" });
      const kept = `${at(".kvm-manager-bin")}/${bin!.entryId}.0`;
      await locked(`${kept}/more.qcow2`);
      await refused(call(server, "delete_bin_entry", { entryId: bin!.entryId }), "BinDeleteFailed");
      assert.deepEqual([await exists(`${kept}/inside.qcow2`), await exists(`${kept}/more.qcow2`)], [
        true,
        true,
      ]);
      await run(["chattr", "-i", `${kept}/more.qcow2`]);
      await call(server, "delete_bin_entry", { entryId: bin!.entryId });
    });
    await t.step("a pool with a volume that cannot be removed", async () => {
      await image(at("z.qcow2"));
      await locked(at("z.qcow2"));
      await refused(call(server, "delete_storage_pool", all), "VolumeDeleteFailed", /z\.qcow2/);
      assert.ok(await exists(at("a.qcow2")));
    });
  },
});

Deno.test({
  name: "a disk is not deleted with its detaching while something else needs it",
  ignore,
  fn: async () => {
    await using server = await binServer();
    await using pool = await testPool("detached");
    await using vm = await testMachine({ purpose: "detached", guest: false, disks: [{ pool }, { pool }] });
    await known(server, vm.uuid);
    const [, path = ""] = vm.disks, detach = { vmId: vm.uuid, target: "vdb", deleteVolume: true };
    await using other = await testPool("detached-over");
    await run([
      "qemu-img",
      "create",
      "-q",
      "-f",
      "qcow2",
      "-b",
      path,
      "-F",
      "qcow2",
      `${other.path}/over.qcow2`,
    ]);
    await virsh("pool-refresh", other.name);
    await refused(call(server, "detach_disk", detach), "DiskDeleteFailed", /over\.qcow2/);
    await refused(
      call(server, "delete_vm", { vmId: vm.uuid, deleteDisks: true }),
      "DiskDeleteFailed",
      /over\.qcow2/,
    );
    await Deno.remove(`${other.path}/over.qcow2`);
    await virsh("pool-refresh", other.name);
    await virsh("snapshot-create-as", vm.name, "inside");
    await refused(call(server, "detach_disk", detach), "DiskDeleteFailed", new RegExp(vm.name));
    assert.ok(await exists(path));
  },
});

Deno.test({
  name: "what a deleted VM's disk is built on is named: it stays",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    await using pool = await testPool("left-base");
    await using vm = await testMachine({ purpose: "left-base", guest: false, disks: [{ pool }] });
    await virsh("snapshot-create-as", vm.name, "s1", "--disk-only", "--no-metadata");
    await known(server, vm.uuid);
    const [base = ""] = vm.disks;
    const { disks } = await call(server, "get_delete_plan", { vmId: vm.uuid });
    assert.deepEqual(disks.map(({ path, deletable }) => [path === base, deletable]), [[false, true], [
      true,
      false,
    ]]);
    assert.match(disks[1]?.reason ?? "", /disk vda is built on it/);
    await call(server, "delete_vm", { vmId: vm.uuid, deleteDisks: true });
    assert.deepEqual([await exists(base), await exists(disks[0]!.path)], [true, false]);
  },
});
