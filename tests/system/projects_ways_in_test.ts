/** A project's quota at every way in which a VM comes into it or grows: refused before anything is made, and nothing is left. */
import assert from "node:assert/strict";
import { backupFolder, runOf } from "../testbed/backups.ts";
import { virsh } from "../testbed/libvirt.ts";
import { releaseName, testName } from "../testbed/names.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { call, ownServer, refused } from "../testbed/product.ts";
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

Deno.test({
  name: "a template, an archive, a foreign VM, a backup, XML and a snapshot do not pass a project's quota",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("ways");
    await using copies = await backupFolder();
    await using names = new AsyncDisposableStack();
    const vmName = async () => {
      const name = await testName("ways");
      names.defer(async () => {
        await removeDomain(name);
        await releaseName(name);
      });
      return name;
    };
    const folder = await Deno.makeTempDir({ prefix: "kvmm-test-ways-" });
    names.defer(() => Deno.remove(folder, { recursive: true }));
    const first = await vmName(), second = await vmName();
    await using server = await ownServer();
    const quota = { vms: 1, cpus: 2, memoryMb: 512, diskGb: 1 };
    const { id: projectId } = await call(server, "create_project", { name: "lab", quota });
    const { id: vmId } = await call(server, "create_vm", {
      name: first,
      memoryMb: 128,
      cpuCount: 1,
      virtType: "qemu",
      nics: [],
      project: "lab",
      disks: [{ sizeGb: 1, pool: pool.name }],
    });
    const usage = async () => (await call(server, "get_project", { projectId })).usage;
    const template = await call(server, "create_template", { vmId, name: first, pool: pool.name });
    const { volume } = await call(server, "export_ova", { vmId, pool: pool.name });
    const { id: backupId } = await call(server, "create_backup", {
      name: first,
      folder: copies.path,
      targets: { vmIds: [vmId] },
    });
    const backup = await runOf(server, backupId);
    assert.equal(backup.state, "done");
    await Deno.writeTextFile(`${folder}/web.vmx`, VMX);
    await run(["qemu-img", "create", "-q", "-f", "vmdk", `${folder}/disk.vmdk`, "1G"]);
    const { xml } = await call(server, "get_vm_xml", { vmId });
    const there = async () => [
      (await call(server, "get_volumes", { pool: pool.name })).map(({ name }) => name).toSorted(),
      // Of other tests, there are more
      (await call(server, "get_vms")).map(({ name }) => name).filter((name) =>
        [first, second].some((own) => name.startsWith(own))
      ).toSorted(),
      await usage(),
    ];
    const before = await there();

    const ovaIn = () =>
      call(server, "import_ova", { pool: pool.name, volume, name: second, project: "lab", nics: [] });
    const foreignIn = () =>
      call(server, "import_foreign_vm", {
        kind: "vmx",
        origin: folder,
        name: second,
        targetPool: pool.name,
        nics: [],
        project: "lab",
      });
    const ways: Record<string, () => Promise<unknown>> = {
      "from a template": () =>
        call(server, "create_vm_from_template", { templateId: template.id, name: second, project: "lab" }),
      "from an archive": ovaIn,
      "from another hypervisor": foreignIn,
      "from a backup, as another VM": () =>
        call(server, "restore_backup", { backupId, runId: backup.id, vmId, name: second }),
      "from XML": () =>
        call(server, "import_vm", { xml, name: second, newId: true, newMacs: true, project: "lab" }),
      "as a clone": () => call(server, "clone_vm", { vmId, name: second, pool: pool.name }),
    };
    for (const [way, bringIn] of Object.entries(ways)) {
      await t.step(`${way}: one VM more than the quota`, async () => {
        await refused(bringIn(), "QuotaExceeded", /1 VM in all, and 1 VM more/);
        assert.deepEqual(await there(), before);
      });
    }

    await t.step(
      "disks of an archive and of a foreign VM are counted before they are converted",
      async () => {
        await call(server, "set_quota", { projectId, ...quota, vms: 2 });
        const jobs = (await call(server, "list_jobs")).length;
        for (const bringIn of [ovaIn, foreignIn]) await refused(bringIn(), "QuotaExceeded", /1 GiB of disks/);
        assert.equal((await call(server, "list_jobs")).length, jobs, "no task has begun");
        assert.deepEqual(await there(), before);
      },
    );

    await t.step("back to a snapshot with more memory and CPUs", async () => {
      await call(server, "update_vm", {
        vmId,
        cpu: { max: 2, count: 2 },
        memory: { maxMb: 256, currentMb: 256 },
      });
      await call(server, "create_snapshot", { vmId, name: "large" });
      await call(server, "update_vm", {
        vmId,
        cpu: { max: 1, count: 1 },
        memory: { maxMb: 128, currentMb: 128 },
      });
      await call(server, "set_quota", { projectId, ...quota, cpus: 1 });
      await refused(call(server, "revert_snapshot", { vmId, name: "large" }), "QuotaExceeded", /1 CPU more/);
      assert.match(await virsh("dumpxml", first), /<vcpu[^>]*>1<\/vcpu>/);
      await call(server, "set_quota", { projectId, ...quota });
      await call(server, "revert_snapshot", { vmId, name: "large" });
      const { cpus, memoryMb } = await usage();
      assert.deepEqual([cpus, memoryMb], [2, 256]);
      await call(server, "delete_snapshot", { vmId, name: "large" });
    });

    await t.step("what fits comes in, and counts", async () => {
      await call(server, "set_quota", { projectId, vms: 2, diskGb: 2 });
      await foreignIn();
      const { vms, diskGb } = await usage();
      assert.deepEqual([vms, diskGb], [2, 2]);
      await refused(ovaIn(), "VmNameExists");
    });
  },
});
