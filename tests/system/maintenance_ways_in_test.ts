/** A host in maintenance refuses each command that makes, brings or starts a VM there; the table has all that the contract names. */
import assert from "node:assert/strict";
import { type CommandName, COMMANDS } from "../../lib/contract/mod.ts";
import { backupFolder, runOf } from "../testbed/backups.ts";
import { releaseName, testName } from "../testbed/names.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { call, ownServer, refused, shows } from "../testbed/product.ts";
import { removeDomain } from "../testbed/removal.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("qemu") !== null;

const VMX = [
  'config.version = "8"',
  'virtualHW.version = "13"',
  'displayName = "web"',
  'guestOS = "ubuntu-64"',
  'memSize = "160"',
  'numvcpus = "1"',
  'scsi0.present = "TRUE"',
  'scsi0.virtualDev = "pvscsi"',
  'scsi0:0.present = "TRUE"',
  'scsi0:0.fileName = "disk.vmdk"',
  "",
].join("\n");

/** Commands that need a second host → the test that calls them on one in maintenance, and its words. */
const OF_TWO_HOSTS: Partial<Record<CommandName, readonly [file: string, words: string]>> = {
  migrate_vm: ["maintenance_test.ts", "/is in maintenance, and takes no VMs/"],
  switch_over: [
    "replication_test.ts",
    'call(from.server, "switch_over", { replicationId }), "HostInMaintenance"',
  ],
  promote_replica: [
    "replication_test.ts",
    'call(to.server, "promote_replica", { ...replica, force: true }), "HostInMaintenance"',
  ],
  test_replica: ["replication_test.ts", 'call(to.server, "test_replica", replica), "HostInMaintenance"'],
};

const REFUSING = (Object.keys(COMMANDS) as CommandName[]).filter((name) =>
  (COMMANDS[name].errors as readonly string[]).includes("HostInMaintenance")
);

Deno.test("commands that need two hosts are tried in maintenance by tests of two hosts", async () => {
  for (const [command, [file, words]] of Object.entries(OF_TWO_HOSTS)) {
    const text = await Deno.readTextFile(new URL(file, import.meta.url));
    assert.ok(text.includes(words), `${file} tries ${command} in maintenance`);
  }
});

Deno.test({
  name: "no command brings or starts a VM on a host in maintenance, and none leaves anything",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("closed");
    await using copies = await backupFolder();
    await using names = new AsyncDisposableStack();
    const vmName = async () => {
      const name = await testName("closed");
      names.defer(async () => {
        await removeDomain(name);
        await releaseName(name);
      });
      return name;
    };
    const folder = await Deno.makeTempDir({ prefix: "kvmm-test-closed-" });
    names.defer(() => Deno.remove(folder, { recursive: true }));
    const first = await vmName(), second = await vmName(), binned = await vmName();
    await using server = await ownServer({ env: { KVMM_BIN_DAYS: "7" } });
    const config = { memoryMb: 128, cpuCount: 1, virtType: "qemu" } as const;
    const made = (name: string) =>
      call(server, "create_vm", { ...config, name, nics: [], disks: [{ sizeGb: 1, pool: pool.name }] });
    const { id: vmId } = await made(first);

    // A snapshot with memory: going back to it starts the VM
    await call(server, "start_vm", { vmId });
    await shows(server, vmId, ({ state }) => state === "running");
    await call(server, "create_snapshot", { vmId, name: "live" });
    await call(server, "force_stop_vm", { vmId });
    await shows(server, vmId, ({ state }) => state === "stopped");

    const { id: goneId } = await made(binned);
    await call(server, "delete_vm", { vmId: goneId, deleteDisks: true });
    const entry = (await call(server, "list_bin")).find(({ name, kind }) => name === binned && kind === "vm");
    const { id: other } = await made(second);
    const template = await call(server, "create_template", { vmId: other, name: second, pool: pool.name });
    const { volume } = await call(server, "export_ova", { vmId: other, pool: pool.name });
    const { id: backupId } = await call(server, "create_backup", {
      name: second,
      folder: copies.path,
      targets: { vmIds: [other] },
    });
    const backup = await runOf(server, backupId);
    assert.equal(backup.state, "done");
    const { xml } = await call(server, "get_vm_xml", { vmId: other });
    await Deno.writeTextFile(`${folder}/web.vmx`, VMX);
    await run(["qemu-img", "create", "-q", "-f", "vmdk", `${folder}/disk.vmdk`, "1G"]);

    const { id: projectId } = await call(server, "create_project", {
      name: "lab",
      pools: [pool.name],
      defaults: { cpuCount: 1, memoryMb: 128, diskSizeGb: 1 },
    });

    const name = await vmName();
    const ways: Partial<Record<CommandName, () => Promise<unknown>>> = {
      create_vm: () => made(name),
      create_project_vm: () => call(server, "create_project_vm", { projectId, name }),
      clone_vm: () => call(server, "clone_vm", { vmId: other, name, pool: pool.name }),
      import_vm: () => call(server, "import_vm", { xml, name, newId: true, newMacs: true }),
      create_vm_from_template: () =>
        call(server, "create_vm_from_template", { templateId: template.id, name }),
      import_ova: () => call(server, "import_ova", { pool: pool.name, volume, name, nics: [] }),
      import_foreign_vm: () =>
        call(server, "import_foreign_vm", {
          kind: "vmx",
          origin: folder,
          name,
          targetPool: pool.name,
          nics: [],
        }),
      restore_backup: () =>
        call(server, "restore_backup", { backupId, runId: backup.id, vmId: other, name, pool: pool.name }),
      verify_backup: () =>
        call(server, "verify_backup", { backupId, runId: backup.id, kind: "boot", pool: pool.name }),
      restore_bin_entry: () => call(server, "restore_bin_entry", { entryId: entry!.id }),
      start_vm: () => call(server, "start_vm", { vmId }),
      revert_snapshot: () => call(server, "revert_snapshot", { vmId, name: "live" }),
    };
    assert.deepEqual(
      [...Object.keys(ways), ...Object.keys(OF_TWO_HOSTS)].toSorted(),
      REFUSING.toSorted(),
      "each command that the contract says it of is tried",
    );

    const there = async () => [
      (await call(server, "get_volumes", { pool: pool.name })).map((each) => each.name).toSorted(),
      // Of other tests, there are more
      (await call(server, "get_vms")).filter((vm) =>
        [first, second, binned, name].some((own) => vm.name.startsWith(own))
      ).map((vm) => `${vm.name} ${vm.state}`).toSorted(),
      (await call(server, "list_bin")).length,
    ];
    const before = await there();
    await call(server, "start_maintenance", { drain: false, reason: "new disks" });
    for (const [command, bringIn] of Object.entries(ways)) {
      await t.step(command, async () => {
        await refused(bringIn(), "HostInMaintenance", /is in maintenance \(new disks\)/);
        assert.deepEqual(await there(), before);
      });
    }
    await t.step("several by one call", async () => {
      const { results } = await call(server, "batch_start_vms", { vmIds: [vmId] });
      assert.equal(results[0]?.error?.code, "HostInMaintenance");
    });
    await t.step("out of maintenance, what was refused is done", async () => {
      await call(server, "end_maintenance", { bringBack: false });
      await ways.restore_bin_entry!();
      await ways.revert_snapshot!();
      await shows(server, vmId, ({ state }) => state === "running");
      await call(server, "force_stop_vm", { vmId });
    });
  },
});
