/** The bin: what is deleted stays whole, and comes back as it was, for whom it may. */
import assert from "node:assert/strict";
import { noFirmware } from "../testbed/firmware.ts";
import { virsh } from "../testbed/libvirt.ts";
import { type TestMachine, testMachine } from "../testbed/machine.ts";
import { filesOf, releaseName, testName } from "../testbed/names.ts";
import { personWith } from "../testbed/people.ts";
import { testPool } from "../testbed/pool.ts";
import { exists, run } from "../testbed/process.ts";
import {
  call,
  EventLog,
  known,
  knownPool,
  readyServer,
  refusal,
  refused,
  shows,
} from "../testbed/product.ts";
import { removeDomain, removeFiles } from "../testbed/removal.ts";
import type { TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";
import { BIN_FOLDER } from "../../lib/bin/place.ts";

const ignore = await requirement("qemu") !== null;
const DAY_MS = 24 * 3600_000;

/** Entries that this server put into the bin: it finds those of other tests, too. */
const ownEntries = async (server: TestServer) =>
  (await call(server, "list_bin")).filter(({ found }) => !found);

const binServer = () => readyServer({ env: { KVMM_BIN_DAYS: "7" } });

/** Writes a byte to the start of a disk, or checks that it is there. */
const io = (path: string, command: "write" | "read", byte: string, format = "qcow2") =>
  run(["qemu-io", "-f", format, "-c", `${command} -P ${byte} 0 64k`, path]);

/** Its stored configuration in any order: libvirt orders controllers again when it defines them. */
const definitionOf = async (vm: Pick<TestMachine, "xml">) =>
  (await vm.xml("--inactive", "--security-info")).split("\n").sort();

const namesIn = async (folder: string) =>
  (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();

const volumesOf = async (pool: string) =>
  (await virsh("vol-list", pool)).split("\n").map((line) => line.trim().split(/\s+/)[0] ?? "").filter(
    Boolean,
  );

const shown = async (server: TestServer, pool: string) =>
  (await call(server, "get_volumes", { pool })).map(({ name }) => name);

Deno.test({
  name: "a deleted VM comes back from the bin with its disks, to the byte",
  ignore,
  fn: async (t) => {
    await using server = await binServer();
    await using log = await EventLog.open(server);
    await using pool = await testPool("bin");
    await using vm = await testMachine({
      purpose: "bin",
      guest: false,
      vnc: { password: "geheim42" },
      disks: [{ pool }, { format: "raw" }],
    });
    const [first, second] = vm.disks as [string, string];
    await io(first, "write", "0x5a");
    await io(second, "write", "0x5b", "raw");
    await virsh("snapshot-create-as", vm.name, "before", "--diskspec", `vdb,snapshot=no`).catch(() => "");
    await virsh("autostart", vm.name);
    await known(server, vm.uuid);
    await call(server, "set_tags", { vmId: vm.uuid, tags: ["kept"] });
    await call(server, "set_group", { vmId: vm.uuid, group: "shop" });
    await shows(server, vm.uuid, ({ autostart, group }) => autostart && group === "shop");
    const before = await definitionOf(vm), snapshots = await virsh("snapshot-list", vm.name, "--tree");
    const bytes = await Deno.readFile(first);
    let entryId = "";

    await t.step("the plan says how long it stays", async () => {
      const plan = await call(server, "get_delete_plan", { vmId: vm.uuid });
      assert.equal(plan.binDays, 7);
      assert.deepEqual(plan.disks.map(({ forGood }) => forGood), [undefined, undefined]);
    });
    await t.step("deleted, it is in the bin, and nowhere else", async () => {
      const { deletedDisks, bin } = await call(server, "delete_vm", { vmId: vm.uuid, deleteDisks: true });
      assert.deepEqual(deletedDisks, []);
      assert.ok(bin !== null);
      entryId = bin.entryId;
      assert.deepEqual([...bin.paths].sort(), [...vm.disks].sort());
      assert.ok(Math.abs(bin.until - Date.now() - 7 * DAY_MS) < 60_000);
      await refused(call(server, "get_vm", { vmId: vm.uuid }), "VmNotFound");
      for (const disk of vm.disks) assert.equal(await exists(disk), false, disk);
      assert.deepEqual(await shown(server, pool.name), []);
      assert.deepEqual((await volumesOf(pool.name)).filter((name) => name.includes("qcow2")), []);
      await log.waitFor("bin-changed");
      const usage = await call(server, "get_bin_usage");
      const entry = (await call(server, "list_bin")).find(({ id }) => id === entryId)!;
      assert.deepEqual([entry.kind, entry.name, entry.uuid, entry.group], ["vm", vm.name, vm.uuid, "shop"]);
      assert.deepEqual([entry.missing, entry.lost, entry.found], [[], [], false]);
      // Those of other tests are found, too
      const own = usage.pools.filter((each) => each.pool === pool.name);
      assert.deepEqual(own.map(({ entries }) => entries), [1]);
      assert.ok(own[0]!.bytes >= 128 * 1024 && entry.bytes >= own[0]!.bytes && usage.bytes >= entry.bytes);
    });
    await t.step("its files are no volume, no disk, no download", async () => {
      const at = { pool: pool.name, volume: BIN_FOLDER };
      await refused(call(server, "delete_volume", at), "VolumeNotFound");
      await refused(call(server, "wipe_volume", at), "VolumeNotFound");
      const kept = (await namesIn(`${pool.path}/${BIN_FOLDER}`)).find((name) => !name.endsWith(".json"))!;
      await using other = await testMachine({ purpose: "bin", guest: false });
      await known(server, other.uuid);
      const path = `${pool.path}/${BIN_FOLDER}/${kept}`;
      await refused(call(server, "attach_disk", { vmId: other.uuid, path }), "DiskRefused", /in the bin/);
      await refused(
        call(server, "delete_storage_pool", { pool: pool.name, deleteContent: true }),
        "BinNotEmpty",
        /Restore or delete/,
      );
    });
    await t.step("no other user writes to it, and its note holds no password", async () => {
      const { mode } = await Deno.stat(`${pool.path}/${BIN_FOLDER}`);
      assert.equal(mode! & 0o022, 0);
      const note = await Deno.readTextFile(`${pool.path}/${BIN_FOLDER}/${entryId}.json`);
      assert.ok(note.includes(vm.uuid) && !note.includes("geheim42"));
    });
    await t.step("restored, it is what it was", async () => {
      const answer = await call(server, "restore_bin_entry", { entryId });
      assert.deepEqual(answer, { kind: "vm", name: vm.name, vmId: vm.uuid, warnings: [] });
      assert.deepEqual(await definitionOf(vm), before);
      assert.deepEqual(await Deno.readFile(first), bytes);
      await io(second, "read", "0x5b", "raw");
      assert.match(await virsh("dominfo", vm.name), /Autostart:\s+enable/);
      assert.equal(await virsh("snapshot-list", vm.name, "--tree"), snapshots);
      await shows(server, vm.uuid, ({ tags, group }) => tags.join() === "kept" && group === "shop");
      assert.deepEqual(await ownEntries(server), []);
      assert.deepEqual(await namesIn(pool.path), [first.split("/").at(-1)]);
      assert.equal((await shown(server, pool.name)).length, 1);
      await refused(call(server, "restore_bin_entry", { entryId }), "BinEntryNotFound");
    });
    await t.step("it starts", async () => {
      await call(server, "start_vm", { vmId: vm.uuid });
      await call(server, "force_stop_vm", { vmId: vm.uuid });
    });
    await t.step("permanently: nothing is kept", async () => {
      const input = { vmId: vm.uuid, deleteDisks: true, permanently: true };
      const { deletedDisks, bin } = await call(server, "delete_vm", input);
      assert.deepEqual([[...deletedDisks].sort(), bin], [[...vm.disks].sort(), null]);
      for (const disk of vm.disks) assert.equal(await exists(disk), false);
      assert.deepEqual(await ownEntries(server), []);
      assert.deepEqual(await namesIn(pool.path), []);
    });
  },
});

Deno.test({
  name: "UEFI variables and TPM state come back with their VM, under another name too",
  ignore: ignore || await noFirmware() !== null,
  fn: async () => {
    await using server = await readyServer({ env: { KVMM_BIN_DAYS: "7" } });
    await using pool = await testPool("bin");
    const name = await testName("bin");
    await using undo = new AsyncDisposableStack();
    undo.defer(() => releaseName(name));
    for (const each of [name, `${name}-2`]) undo.defer(() => removeDomain(each));
    const { id: vmId } = await call(server, "create_vm", {
      name,
      memoryMb: 256,
      firmware: "uefi",
      nics: [],
      disks: [{ sizeGb: 1, pool: pool.name }],
      start: true,
    });
    await call(server, "force_stop_vm", { vmId });
    await shows(server, vmId, ({ state }) => state === "stopped");
    await call(server, "update_vm", { vmId, tpm: { model: "tpm-crb", version: "2.0" } });
    await shows(server, vmId, ({ operation }) => operation === undefined);
    const nvramOf = (of: string) => `/var/lib/libvirt/qemu/nvram/${of}_VARS.fd`;
    const tpm = `/var/lib/libvirt/swtpm/${vmId}`;
    const variables = await Deno.readFile(nvramOf(name));
    variables[variables.length - 1] = 0x5a;
    await Deno.writeFile(nvramOf(name), variables);
    await Deno.mkdir(`${tpm}/tpm2`, { recursive: true });
    await Deno.writeTextFile(`${tpm}/tpm2/state`, "sealed");

    const first = await call(server, "delete_vm", { vmId, deleteDisks: true });
    assert.equal(await exists(nvramOf(name)), false);
    assert.equal(await exists(tpm), false);
    await call(server, "restore_bin_entry", { entryId: first.bin!.entryId });
    assert.deepEqual(await Deno.readFile(nvramOf(name)), variables);
    assert.equal(await Deno.readTextFile(`${tpm}/tpm2/state`), "sealed");

    const second = await call(server, "delete_vm", { vmId, deleteDisks: true });
    const taken = await call(server, "create_vm", { name, memoryMb: 128, nics: [], disks: [] });
    const { code, message } = await refusal(
      call(server, "restore_bin_entry", { entryId: second.bin!.entryId }),
    );
    assert.deepEqual([code, message.includes(name), message.includes(`${name}-restored`)], [
      "BinNameTaken",
      true,
      true,
    ]);
    const answer = await call(server, "restore_bin_entry", {
      entryId: second.bin!.entryId,
      name: `${name}-2`,
    });
    assert.deepEqual([answer.name, answer.vmId, answer.warnings], [`${name}-2`, vmId, []]);
    assert.deepEqual(await Deno.readFile(nvramOf(`${name}-2`)), variables);
    await call(server, "delete_vm", { vmId: taken.id });

    const third = await call(server, "delete_vm", { vmId, deleteDisks: true });
    await call(server, "delete_bin_entry", { entryId: third.bin!.entryId });
    for (const path of [nvramOf(name), nvramOf(`${name}-2`), tpm]) {
      assert.equal(await exists(path), false, path);
    }
    assert.equal(await exists(`/var/lib/libvirt/swtpm/${BIN_FOLDER}/${third.bin!.entryId}.json`), false);
    for (const { id } of await ownEntries(server)) await call(server, "delete_bin_entry", { entryId: id });
    assert.deepEqual(await namesIn(pool.path), []);
  },
});

Deno.test({
  name: "volumes go into the bin and come back, whatever they are called",
  ignore,
  fn: async (t) => {
    await using server = await binServer();
    await using pool = await testPool("bin");
    const names = [
      "plain.qcow2",
      "with blank.img",
      "quo'te\"s & <x>.img",
      "ünïcödé.img",
      "-dash.img",
      ".dot.img",
      "a%2Fb.img",
    ];
    const volume = (name: string) => ({ pool: pool.name, volume: name });
    for (const name of names) {
      await Deno.writeTextFile(`${pool.path}/${name}`, `content of ${name}`);
    }
    await virsh("pool-refresh", pool.name);
    await knownPool(server, pool.name);
    await until("they are known", async () => (await shown(server, pool.name)).length === names.length);

    await t.step("each of them", async () => {
      for (const name of names) {
        const { bin } = await call(server, "delete_volume", volume(name));
        assert.ok(bin !== null, name);
        assert.equal(await exists(`${pool.path}/${name}`), false);
      }
      assert.deepEqual(await shown(server, pool.name), []);
      const entries = await ownEntries(server);
      assert.deepEqual(
        entries.map(({ name }) => name).sort(),
        names.map((name) => `${pool.name}/${name}`).sort(),
      );
      for (const { id } of entries) await call(server, "restore_bin_entry", { entryId: id });
      for (const name of names) {
        assert.equal(await Deno.readTextFile(`${pool.path}/${name}`), `content of ${name}`);
      }
      assert.deepEqual((await shown(server, pool.name)).sort(), [...names].sort());
      assert.equal(await exists(`${pool.path}/${BIN_FOLDER}`), false);
    });
    await t.step("a name that was taken meanwhile is told, and another one is taken", async () => {
      const { bin } = await call(server, "delete_volume", volume("plain.qcow2"));
      await call(server, "create_volume", { pool: pool.name, name: "plain.qcow2", capacityBytes: 2 ** 20 });
      const entryId = bin!.entryId;
      await refused(
        call(server, "restore_bin_entry", { entryId }),
        "BinNameTaken",
        /plain\.qcow2.*plain-restored\.qcow2/,
      );
      await refused(call(server, "restore_bin_entry", { entryId, name: "../x" }), "InvalidInput");
      const answer = await call(server, "restore_bin_entry", { entryId, name: "again.qcow2" });
      assert.equal(answer.name, `${pool.name}/again.qcow2`);
      assert.equal(await Deno.readTextFile(`${pool.path}/again.qcow2`), "content of plain.qcow2");
    });
    await t.step("a base that something in the bin is built on stays", async () => {
      await call(server, "create_volume", { pool: pool.name, name: "base.qcow2", capacityBytes: 2 ** 20 });
      const backing = `${pool.name}/base.qcow2`;
      await call(server, "create_volume", { pool: pool.name, name: "over.qcow2", backing });
      const { bin } = await call(server, "delete_volume", volume("over.qcow2"));
      await refused(call(server, "delete_volume", volume("base.qcow2")), "VolumeInUse", /in the bin/);
      await call(server, "delete_bin_entry", { entryId: bin!.entryId });
      await call(server, "delete_volume", { ...volume("base.qcow2"), permanently: true });
    });
    await t.step("a link in the place of the bin's folder leads nowhere", async () => {
      const elsewhere = await Deno.makeTempDir();
      await Deno.symlink(elsewhere, `${pool.path}/${BIN_FOLDER}`);
      const { bin } = await call(server, "delete_volume", volume("again.qcow2"));
      assert.equal(bin, null);
      assert.deepEqual(await namesIn(elsewhere), []);
      await Deno.remove(`${pool.path}/${BIN_FOLDER}`);
      await Deno.mkdir(`${pool.path}/${BIN_FOLDER}`, { mode: 0o777 });
      await Deno.chmod(`${pool.path}/${BIN_FOLDER}`, 0o777);
      assert.equal((await call(server, "delete_volume", volume("with blank.img"))).bin, null);
      await Deno.remove(`${pool.path}/${BIN_FOLDER}`);
      await Deno.remove(elsewhere);
    });
    await t.step(
      "a link in the place of a volume is no file to be kept, and what it leads to stays",
      async () => {
        const target = await Deno.makeTempFile();
        await Deno.symlink(target, `${pool.path}/link.img`);
        await virsh("pool-refresh", pool.name);
        await until("it is known", async () => (await shown(server, pool.name)).includes("link.img"));
        assert.equal((await call(server, "delete_volume", volume("link.img"))).bin, null);
        assert.equal(await exists(target), true);
        await Deno.remove(target);
      },
    );
    await t.step("emptied by pool", async () => {
      const { bin } = await call(server, "delete_volume", volume("ünïcödé.img"));
      assert.equal((await call(server, "empty_bin", { pool: "none" })).deleted, 0);
      const { deleted, bytes, failed } = await call(server, "empty_bin", { pool: pool.name });
      assert.deepEqual([deleted, bytes > 0, failed], [1, true, []]);
      await refused(call(server, "restore_bin_entry", { entryId: bin!.entryId }), "BinEntryNotFound");
      assert.equal(await exists(`${pool.path}/${BIN_FOLDER}`), false);
    });
    await t.step("switched off, nothing goes there", async () => {
      assert.deepEqual((await call(server, "update_bin_policy", { days: 0 })).days, 0);
      assert.equal((await call(server, "delete_volume", volume("-dash.img"))).bin, null);
    });
  },
});

Deno.test({
  name: "a bin whose database is lost is known by the notes next to its files",
  ignore,
  fn: async () => {
    await using pool = await testPool("bin");
    await using vm = await testMachine({ purpose: "bin", guest: false, disks: [{ pool }] });
    await io(vm.disks[0]!, "write", "0x77");
    {
      await using server = await binServer();
      await known(server, vm.uuid);
      await call(server, "delete_vm", { vmId: vm.uuid, deleteDisks: true });
    }
    await using server = await binServer();
    const entry = await until(
      "it is found",
      async () => (await call(server, "list_bin")).find(({ uuid }) => uuid === vm.uuid),
    );
    assert.deepEqual([entry.found, entry.name, entry.kind], [true, vm.name, "vm"]);
    const bob = await personWith(server, "bob", [{ role: "operator", on: { kind: "everything" } }]);
    assert.deepEqual(await bob.call("list_bin"), []);
    await call(server, "restore_bin_entry", { entryId: entry.id });
    await known(server, vm.uuid);
    await io(vm.disks[0]!, "read", "0x77");
  },
});

Deno.test({
  name: "who may delete something sees it in the bin and brings it back; other users do not see it",
  ignore,
  fn: async () => {
    await using server = await binServer();
    await using vm = await testMachine({ purpose: "bin", guest: false, disks: [{}] });
    await using other = await testMachine({ purpose: "bin", guest: false });
    for (const { uuid } of [vm, other]) await known(server, uuid);
    await call(server, "set_group", { vmId: vm.uuid, group: "shop" });
    await shows(server, vm.uuid, ({ group }) => group === "shop");
    const permissions = ["vms.view", "vms.operate", "vms.delete"];
    await call(server, "create_role", { role: "keeper", permissions });
    const ann = await personWith(server, "ann", [{ role: "keeper", on: { kind: "group", group: "shop" } }]);
    const eve = await personWith(server, "eve", [{ role: "keeper", on: { kind: "vm", vmId: other.uuid } }]);
    const { bin } = await ann.call("delete_vm", { vmId: vm.uuid, deleteDisks: true });
    const entryId = bin!.entryId;
    const theirs = await call(server, "delete_vm", { vmId: other.uuid });
    assert.deepEqual((await ann.call("list_bin")).map(({ name }) => name), [vm.name]);
    assert.deepEqual((await eve.call("list_bin")).map(({ name }) => name), [other.name]);
    assert.equal((await ownEntries(server)).length, 2);
    for (const name of ["restore_bin_entry", "delete_bin_entry"] as const) {
      const { code, message } = await refusal(eve.call(name, { entryId }));
      assert.deepEqual([code, message.includes(vm.name)], ["BinEntryNotFound", false]);
    }
    await refused(ann.call("empty_bin"), "Forbidden");
    await refused(ann.call("update_bin_policy", { days: 1 }), "Forbidden");
    const anywhere = await eve.call("get_activity");
    assert.ok(!JSON.stringify(anywhere).includes(vm.name), "the activity names what she may not see");
    await ann.call("restore_bin_entry", { entryId });
    await shows(server, vm.uuid, ({ group }) => group === "shop");
    await call(server, "delete_bin_entry", { entryId: theirs.bin!.entryId });
  },
});

Deno.test({
  name: "a pool that runs full takes room from the bin, the oldest first",
  ignore,
  fn: async () => {
    await using server = await binServer();
    const name = await testName("bin"), folder = `${filesOf(name)}/small`;
    await using undo = new AsyncDisposableStack();
    undo.defer(() => releaseName(name));
    undo.defer(() => removeFiles(name));
    await Deno.mkdir(folder, { recursive: true });
    await run(["mount", "-t", "tmpfs", "-o", "size=64M", "tmpfs", folder]);
    undo.defer(async () => void await run(["umount", "--lazy", folder]));
    await virsh("pool-create-as", name, "dir", "--target", folder);
    undo.defer(async () => void await virsh("pool-destroy", name));
    await until(
      "the pool",
      async () => (await call(server, "get_storage_pools")).some((each) => each.name === name),
    );
    await call(server, "update_bin_policy", { freePercent: 0 });
    const full = (volume: string, mb: number) =>
      call(server, "create_volume", {
        pool: name,
        name: volume,
        format: "raw",
        capacityBytes: mb * 2 ** 20,
        preallocation: "full",
      });
    for (const volume of ["one.img", "two.img"]) {
      await full(volume, 20);
      await call(server, "delete_volume", { pool: name, volume });
    }
    const left = async () => (await ownEntries(server)).map((entry) => entry.name).sort();
    assert.deepEqual(await left(), [`${name}/one.img`, `${name}/two.img`]);
    await full("three.img", 30);
    assert.deepEqual(await left(), [`${name}/two.img`]);
    const rows = await call(server, "get_activity", { limit: 500 });
    assert.ok(rows.some(({ action, message }) => action === "prune_bin" && message?.includes("one.img")));
    // What would not be enough is not deleted for nothing.
    await refused(full("four.img", 100), "DiskExceedsPool");
    assert.deepEqual(await left(), [`${name}/two.img`]);
    await call(server, "empty_bin", { pool: name });
    const open = (await Array.fromAsync(Deno.readDir(`/proc/${server.pid}/fd`))).map(({ name: fd }) => {
      try {
        return Deno.readLinkSync(`/proc/${server.pid}/fd/${fd}`);
      } catch {
        return ""; // closed meanwhile
      }
    });
    assert.deepEqual(open.filter((path) => path.startsWith(folder)), [], "a folder is held open");
  },
});

Deno.test({
  name: "a template, and a version of it, go into the bin and come back",
  ignore,
  fn: async () => {
    await using server = await binServer();
    await using pool = await testPool("bin");
    await using vm = await testMachine({ purpose: "bin", guest: false, disks: [{ pool }] });
    await io(vm.disks[0]!, "write", "0x66");
    await known(server, vm.uuid);
    const { id: templateId } = await call(server, "create_template", {
      vmId: vm.uuid,
      name: `${vm.name}-template`,
      pool: pool.name,
    });
    await call(server, "update_template", { templateId, vmId: vm.uuid, pool: pool.name });
    const before = await call(server, "get_template", { templateId });
    assert.equal(before.versions.length, 2);
    const one = await call(server, "delete_template", { templateId, version: 1 });
    assert.equal((await call(server, "get_template", { templateId })).versions.length, 1);
    const rest = await call(server, "delete_template", { templateId });
    await refused(call(server, "get_template", { templateId }), "TemplateNotFound");
    assert.equal((await shown(server, pool.name)).length, 1);
    for (const { bin } of [rest, one]) await call(server, "restore_bin_entry", { entryId: bin!.entryId });
    assert.deepEqual(await call(server, "get_template", { templateId }), before);
    for (const { disks } of before.versions) for (const { path } of disks) await io(path, "read", "0x66");
    assert.equal((await call(server, "delete_template", { templateId, permanently: true })).bin, null);
    assert.equal((await shown(server, pool.name)).length, 1);
  },
});
