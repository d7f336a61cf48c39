/** import_vm, export_vm, get_delete_plan and delete_vm with chosen disks. */
import assert from "node:assert/strict";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { releaseName, testName } from "../testbed/names.ts";
import { testNetwork } from "../testbed/network.ts";
import { testPool } from "../testbed/pool.ts";
import { exists, run } from "../testbed/process.ts";
import { call, known, readyServer, refused, shows } from "../testbed/product.ts";
import { removeDomain } from "../testbed/removal.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("guest") !== null;

/** Removes a domain that the product made, and gives its name back. */
async function removeFully(name: string): Promise<void> {
  await removeDomain(name);
  await releaseName(name);
}

const names = async () => (await virsh("list", "--all", "--name")).split("\n");

Deno.test({
  name: "export_vm() and import_vm() take a machine away and bring it back",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using network = await testNetwork();
    await using vm = await testMachine({
      purpose: "import",
      guest: false,
      network,
      vnc: { password: "planted7" },
      disks: [{}],
    });
    await known(server, vm.uuid);
    const { xml, fileName } = await call(server, "export_vm", { vmId: vm.uuid, secure: true });

    await t.step("exported without passwords, unless asked for", async () => {
      assert.equal(fileName, `${vm.name}.xml`);
      assert.match(xml, /planted7/);
      assert.doesNotMatch((await call(server, "export_vm", { vmId: vm.uuid })).xml, /planted7/);
    });
    await t.step(
      "what would take another's place is refused, and what helps is said by the code",
      async () => {
        const name = "kvmm-test-imported-never";
        const bring = (input: object) => call(server, "import_vm", { xml, ...input });
        await refused(bring({}), "VmNameExists", `VM name already exists: ${vm.name}`);
        await refused(bring({ name }), "VmIdTaken", new RegExp(vm.uuid));
        await refused(bring({ name, newId: true }), "MacInUse", new RegExp(`${vm.name}: ${vm.mac}`));
        await refused(bring({ name: "1st", newId: true, newMacs: true }), "InvalidName");
        await refused(bring({ name: "-first", newId: true, newMacs: true }), "InvalidName");
        const tooLong = xml.replace(/<source file='[^']+'/, `<source file='/${"n".repeat(300)}'`);
        assert.notEqual(tooLong, xml);
        const own = { xml: tooLong, name, newId: true, newMacs: true };
        await refused(bring({ ...own, allowMissing: true }), "PathRefused", /longer than this host allows/);
        assert.equal((await names()).includes(name), false);
      },
    );
    await t.step(
      "with a name, an id and addresses of its own it is defined in addition to the first",
      async () => {
        const name = await testName("imported");
        await using _made = { [Symbol.asyncDispose]: () => removeFully(name) };
        const made = await call(server, "import_vm", { xml, name, newId: true, newMacs: true });
        assert.deepEqual([made.name, made.missing], [name, []]);
        assert.equal(await virsh("domuuid", name), made.vmId);
        assert.doesNotMatch(await virsh("dumpxml", name), new RegExp(`${vm.uuid}|${vm.mac}`));
        assert.equal((await known(server, made.vmId)).state, "stopped");
      },
    );
    await t.step("what one VM alone can have is left out, and that is said", async () => {
      const name = await testName("imported");
      await using _made = { [Symbol.asyncDispose]: () => removeFully(name) };
      const memory = "<memory model='nvdimm'><source><path>/var/lib/kvmm-test-none</path></source>" +
        "<target><size unit='MiB'>16</size></target></memory>";
      const shared = xml.replace("</devices>", `${memory}</devices>`);
      const made = await call(server, "import_vm", { xml: shared, name, newId: true, newMacs: true });
      const said = /Left out, as one VM alone can have it: memory nvdimm.*The original keeps it/;
      assert.ok(made.warnings.some((warning) => said.test(warning)), made.warnings.join("\n"));
    });
    await t.step("after its deletion it comes back as it was", async () => {
      const before = await vm.xml("--inactive", "--security-info");
      await call(server, "delete_vm", { vmId: vm.uuid });
      assert.equal((await names()).includes(vm.name), false);
      const { vmId } = await call(server, "import_vm", { xml });
      assert.equal(vmId, vm.uuid);
      const lines = (text: string) => text.split("\n").sort();
      const after = lines(await vm.xml("--inactive", "--security-info"));
      // The chain of its image was looked at, and stands in it now.
      const pinned = after.splice(after.findIndex((line) => line.trim() === "<backingStore/>"), 1);
      assert.deepEqual([pinned.map((line) => line.trim()), after], [["<backingStore/>"], lines(before)]);
    });
    await t.step("missing disks are named, and taken only when that is said", async () => {
      const name = await testName("imported");
      await using _made = { [Symbol.asyncDispose]: () => removeFully(name) };
      const gone = "/var/lib/kvmm-test-none/gone.qcow2";
      const changed = xml.replace(vm.disks[0]!, gone);
      const input = { xml: changed, name, newId: true, newMacs: true };
      await refused(
        call(server, "import_vm", input),
        "DisksMissing",
        `These disks do not exist on this host: ${gone}`,
      );
      assert.equal((await names()).includes(name), false);
      const { missing } = await call(server, "import_vm", { ...input, allowMissing: true });
      assert.deepEqual(missing, [gone]);
    });
    await t.step("hostile XML is refused, and nothing is defined (threats 5, 6; fault 17)", async () => {
      /** Machines these could have made: other tests make some of their own meanwhile. */
      const ours = async () =>
        (await names()).filter((name) => name.includes(vm.name) || name.includes("kvmm-test-never"));
      const before = await ours();
      const other = xml.replace(vm.uuid, crypto.randomUUID());
      const hidden = `<name xmlns='urn:x'>kvmm-test-never</name><name>${vm.name}</name>`;
      for (
        const bad of [
          "x",
          "<domain/>",
          "<domain type='qemu'><name>kvmm-test-never</name></domain>",
          `<!DOCTYPE domain [<!ENTITY a SYSTEM "file:///etc/shadow">]>${other}`,
          other.replace(`<name>${vm.name}</name>`, hidden),
          other.replace("<devices>", "<devices><bogus/>"),
          `${"<a>".repeat(20_000)}${"</a>".repeat(20_000)}`,
          other.slice(0, -20),
          `${other}${other}`,
        ]
      ) await refused(call(server, "import_vm", { xml: bad, newMacs: true }), "XmlInvalid");
      await refused(call(server, "import_vm", { xml: "x".repeat(300_000) }), "InvalidInput", /xml/);
      assert.deepEqual(await ours(), before);
      assert.equal((await call(server, "get_connection_status")).connected, true);
    });
  },
});

Deno.test({
  name: "get_delete_plan() names exactly what goes, and delete_vm() deletes what was chosen of it",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using pool = await testPool("plan");

    await t.step("disks, with why some of them stay", async () => {
      await using vm = await testMachine({
        purpose: "plan",
        guest: false,
        disks: [{ pool, size: "8M" }, { format: "raw", size: "4M" }, {}, {}, {}],
      });
      const [volume, file, shared, immutable, gone] = vm.disks as [string, string, string, string, string];
      await using other = await testMachine({ purpose: "plan", guest: false });
      await virsh("attach-disk", other.name, shared, "vdb", "--config", "--subdriver", "qcow2");
      const cd = `${pool.path}/cd.iso`;
      await Deno.writeFile(cd, new Uint8Array(4096));
      await virsh("attach-disk", vm.name, cd, "sda", "--config", "--type", "cdrom", "--mode", "readonly");
      await Deno.remove(gone);
      await known(server, vm.uuid);
      await shows(
        server,
        vm.uuid,
        ({ disks }) => disks.length === 6,
      );
      await shows(server, other.uuid, ({ disks }) => disks.length === 1);
      await run(["chattr", "+i", immutable]);
      try {
        const { disks } = await call(server, "get_delete_plan", { vmId: vm.uuid });
        const told = Object.fromEntries(disks.map((disk) => [disk.path, disk]));
        assert.deepEqual([told[volume]?.deletable, told[volume]?.pool, told[volume]?.capacityBytes], [
          true,
          pool.name,
          8 * 1024 * 1024,
        ]);
        assert.deepEqual([told[file]?.deletable, told[file]?.pool], [true, undefined]);
        assert.deepEqual([told[shared]?.deletable, told[shared]?.reason], [
          false,
          `it is also used by ${other.name}`,
        ]);
        assert.equal(told[immutable]?.deletable, false);
        assert.equal(told[gone]?.reason, "it does not exist");
        assert.equal(told[cd]?.deletable, false);
        const wish = (paths: string[]) => call(server, "delete_vm", { vmId: vm.uuid, disks: paths });
        for (const path of [shared, immutable, cd, "/etc/passwd", `${pool.path}/../x`]) {
          await refused(
            wish([volume, path]),
            "DiskDeleteFailed",
            new RegExp(`^Failed to delete disk: ${path} - `),
          );
        }
        assert.equal(await exists(volume), true);
        assert.equal((await names()).includes(vm.name), true);
        assert.deepEqual(await wish([volume]), { bin: null, deletedDisks: [volume] });
        assert.equal((await names()).includes(vm.name), false);
        assert.deepEqual(await Promise.all([volume, file, shared, cd].map(exists)), [
          false,
          true,
          true,
          true,
        ]);
      } finally {
        await run(["chattr", "-i", immutable]);
      }
    });
    await t.step("snapshots and saved memory; a disk that cannot go loses neither", async () => {
      await using vm = await testMachine({
        purpose: "plan",
        guest: false,
        start: true,
        memoryMiB: 64,
        disks: [{}],
      });
      await virsh("snapshot-create-as", vm.name, "one");
      await shows(server, vm.uuid, ({ state }) => state === "running");
      await call(server, "suspend_vm", { vmId: vm.uuid });
      await shows(server, vm.uuid, ({ state }) => state === "suspended");
      const plan = await call(server, "get_delete_plan", { vmId: vm.uuid });
      assert.deepEqual([plan.snapshots, plan.managedSave, plan.nvram], [1, true, undefined]);
      await run(["chattr", "+i", vm.disks[0]!]);
      try {
        await refused(call(server, "delete_vm", { vmId: vm.uuid, deleteDisks: true }), "DiskDeleteFailed");
      } finally {
        await run(["chattr", "-i", vm.disks[0]!]);
      }
      assert.match(await virsh("snapshot-list", vm.name), /one/);
      assert.match(await virsh("dominfo", vm.name), /Managed save:\s+yes/);
    });
  },
});
