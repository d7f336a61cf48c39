/** Reasons within errors, and other texts of the source that advise something, by words of them. */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { BIN_FOLDER } from "../../../lib/bin/place.ts";
import { backupFolder, runOf } from "../../testbed/backups.ts";
import { claimedVm } from "../../testbed/claimed_vm.ts";
import { virsh } from "../../testbed/libvirt.ts";
import { testMachine } from "../../testbed/machine.ts";
import { run } from "../../testbed/process.ts";
import { goneOver } from "../../testbed/unknown_image.ts";
import { call, known, knownPool, refused } from "../../testbed/product.ts";
import type { TestServer } from "../../testbed/server.ts";
import {
  ANOTHER,
  lastingPool,
  OUTSIDE,
  type RemedyTrial,
  SAYS,
  sharedFolder,
  stopped,
  suspend,
  suspended,
  WAIT,
} from "./trial.ts";
import { OF_GRPC } from "./grpc.ts";
import { OF_MCP } from "./mcp.ts";
import { OF_PROFILES } from "./profiles.ts";
import { OF_REPLICATION } from "./replication.ts";
import { OF_SECRETS } from "./secrets.ts";

/** A VM that is off, with a raw disk in a pool: its snapshots are external. */
async function rawDisk(
  server: TestServer,
  work: (vmId: string, vm: { name: string; pool: string; disk: string }) => Promise<void>,
) {
  const pool = await lastingPool("remedy");
  await using vm = await testMachine({
    purpose: "remedy",
    guest: false,
    disks: [{ pool, format: "raw", size: "8M" }],
  });
  await known(server, vm.uuid);
  await knownPool(server, pool.name);
  await work(vm.uuid, { name: vm.name, pool: pool.name, disk: vm.disks[0]! });
}

const all = (entry: RemedyTrial, parts: readonly string[]) =>
  Object.fromEntries(parts.map((part) => [part, entry]));

/** Of connections to hosts. */
const OF_HOSTS: Readonly<Record<string, RemedyTrial>> = {
  "names too many VMs to be told: give rights on groups or on the host": {
    not: "grants are changed as those of any user, which access_test does",
  },
  "This libvirt lets in by Kerberos. KVM Manager needs a ticket for it": OUTSIDE,
  "has the lease of one of this VM's disks": {
    by: "tests/system/lock_manager_sanlock_test.ts",
    words: "shut that VM down first",
    then: 'call(from.server, "force_stop_vm", { vmId: vm.uuid })',
  },
  "This libvirt lets in by Kerberos. Start the KDC of that realm": {
    by: "tests/system/kerberos_host_test.ts",
    words: "Start the KDC of that realm",
    then: "await realm.start()",
  },
  "This libvirt lets in by Kerberos. Add this principal to the realm": {
    by: "tests/system/kerberos_host_test.ts",
    words: "Add this principal to the realm",
    then: "await realm.principal(SERVICE)",
  },
  "Put a valid one in its place, or set this host's clock": {
    by: "tests/system/host_login_test.ts",
    words: "Put a valid one in its place",
    then: 'await clock.set("+0")',
  },
  "Replace servercert.pem on the host by a valid one": {
    by: "tests/system/host_login_test.ts",
    words: "Replace servercert",
    then: 'await clock.set("+0")',
  },
  "which is not there. Clone the volume first": {
    by: "tests/system/copy_volume_test.ts",
    words: "Clone the volume first",
    then: 'call(from.server, "copy_volume_to_host", { ...alone, toPool',
  },
  "has no storage pool …. Choose one of": {
    by: "tests/system/copy_volume_test.ts",
    words: "Choose one of: images",
    then: 'toPool: "images" })',
  },
  "This connection leads to the libvirt of": {
    by: "tests/system/add_host_test.ts",
    words: "leads to the libvirt of",
    then: 'call(here.server, "remove_host"',
  },
  "sudo asks for a password: give": {
    by: "tests/system/install_host_test.ts",
    words: "sudo asks for a password: give",
    then: 'install("ann", { password })',
  },
  "libvirt is not installed there. Install it": {
    by: "tests/system/install_host_test.ts",
    words: "libvirt is not installed there",
    then: 'await install("root", { password })',
  },
  "is neither: choose another pool": ANOTHER,
  "there are UEFI variables of another VM at": OUTSIDE,
  "It is shown as it was before. Update KVM Manager here.": OUTSIDE,
  "it has no TLS. Start it with --listen": OUTSIDE,
  "it is reached from this host alone. Start it with --listen": OUTSIDE,
  "it gives another length than it said before: try again": OUTSIDE,
  "SSH refuses the user or the key. Add": {
    by: "tests/system/ssh_host_test.ts",
    words: "/public key/",
    then: "ssh.authorize(",
  },
  "The certificate of the host is of another CA, or for another name. Connect by a name": {
    by: "tests/system/host_login_test.ts",
    words: "of another CA, or for another name",
    then: "await test(tlsUri(far))",
  },
  "The host refuses the certificate of KVM Manager, or got none. Put clientcert.pem": {
    by: "tests/system/host_login_test.ts",
    words: "refuses the certificate of KVM Manager, or got none",
    then: "await test(tlsUri(far))",
  },
  "This libvirt asks for a user and a password. Give both": {
    by: "tests/system/host_login_test.ts",
    words: "asks for a user and a password",
    then: "await update({ username, userPassword: PASSWORD })",
  },
  "This libvirt refuses the user or the password. Give the right ones": {
    by: "tests/system/host_login_test.ts",
    words: "refuses the user or the password",
    then: "await update({ userPassword: OTHER })",
  },
  "Libvirt does not listen there. Start its socket": OUTSIDE,
  "username is of a libvirt: a linked host has a key instead": SAYS,
};

/** Of snapshots: what keeps one from being taken, reverted to or deleted. */
const OF_SNAPSHOTS: Readonly<Record<string, RemedyTrial>> = {
  "it is suspended. Start it, or discard its saved memory, first": {
    here: (server) =>
      suspended(server, async (vmId) => {
        const take = () => call(server, "create_snapshot", { vmId, name: "s" });
        await refused(
          take(),
          "SnapshotNotPossible",
          /is suspended\. Start it, or discard its saved memory, first/,
        );
        await call(server, "discard_saved_memory", { vmId });
        await call(server, "create_snapshot", { vmId, name: "off" });
        await call(server, "start_vm", { vmId });
        await call(server, "suspend_vm", { vmId });
        await refused(take(), "SnapshotNotPossible");
        await call(server, "start_vm", { vmId });
        await take();
        await call(server, "force_stop_vm", { vmId });
      }),
  },
  "is on another image from the next start on": {
    here: (server) =>
      rawDisk(server, async (vmId, { name, pool, disk }) => {
        const other = `${disk}.other`, file = `${disk}.xml`;
        await Deno.copyFile(disk, other);
        await call(server, "refresh_storage_pool", { pool });
        await call(server, "start_vm", { vmId });
        await Deno.writeTextFile(
          file,
          (await virsh("dumpxml", "--inactive", name)).replaceAll(`'${disk}'`, `'${other}'`),
        );
        await virsh("define", file);
        const take = () => call(server, "create_snapshot", { vmId, name: "s" });
        await refused(take(), "SnapshotNotPossible", /Shut the VM down and start it before/);
        await call(server, "force_stop_vm", { vmId });
        await call(server, "start_vm", { vmId });
        await take();
        await call(server, "force_stop_vm", { vmId });
        await call(server, "delete_snapshot", { vmId, name: "s" });
        await Deno.remove(file);
      }),
  },
  "which libvirt does not know until the next start": {
    here: (server) =>
      rawDisk(server, async (vmId, { name, pool, disk }) => {
        const overlay = `${disk}.overlay`;
        await call(server, "start_vm", { vmId });
        await goneOver({ name }, { head: disk, format: "raw", over: overlay });
        await call(server, "refresh_storage_pool", { pool });
        await refused(call(server, "suspend_vm", { vmId }), "SuspendFailed", /Shut the VM down and start it/);
        await using folder = await backupFolder();
        const { id: backupId } = await call(server, "create_backup", {
          name: `${name}-backup`,
          folder: folder.path,
          targets: { vmIds: [vmId] },
        });
        const first = await runOf(server, backupId);
        assert.match(JSON.stringify(first), /does not know until the next start/);
        await call(server, "force_stop_vm", { vmId });
        await call(server, "start_vm", { vmId });
        const second = await runOf(server, backupId);
        assert.equal(second.state, "done", JSON.stringify(second));
        await call(server, "suspend_vm", { vmId });
        await call(server, "start_vm", { vmId });
        await call(server, "force_stop_vm", { vmId });
        await call(server, "delete_backup", { backupId });
        await Deno.remove(overlay);
      }),
  },
  "Delete the snapshot again to finish it": {
    by: "tests/system/external_snapshots_cut_test.ts",
    words: "Delete the snapshot again to finish it",
    then: `api.deleteSnapshot({ vmId, name: "s" })`,
  },
  "delete the snapshot again, or discard the pending change and delete that image": {
    by: "tests/system/pairs_images_test.ts",
    words: "QEMU has merged that into",
    then: "api.deleteSnapshot({ vmId, name",
  },
  "libvirt does not know the image that QEMU writes its disk": {
    by: "tests/system/pairs_images_test.ts",
    words: "does not know the image that QEMU writes its disk",
    then: "api.startVm({ vmId })",
  },
  "is missing. Put it back, or start its storage pool": {
    here: (server) =>
      rawDisk(server, async (vmId, { name, pool, disk }) => {
        await call(server, "create_snapshot", { vmId, name: "one", memory: false });
        await call(server, "create_snapshot", { vmId, name: "two", memory: false });
        const remove = (snapshot: string) => call(server, "delete_snapshot", { vmId, name: snapshot });
        const head = /<source file='([^']*)'/.exec(await virsh("dumpxml", name))![1]!;
        await Deno.rename(head, `${head}.away`);
        await virsh("pool-refresh", pool);
        for (const snapshot of ["one", "two"]) {
          await refused(remove(snapshot), "SnapshotNotDeletable", /Put it back, or start its storage pool/);
        }
        await Deno.rename(`${head}.away`, head);
        await call(server, "refresh_storage_pool", { pool });
        const files = await Array.fromAsync(Deno.readDir(dirname(disk)));
        assert.equal(files.length, 3, "each image is there");
        await remove("two");
        await remove("one");
      }),
  },
  "was added since. Detach it first": {
    here: (server) =>
      stopped(server, async (vmId, { pool }) => {
        await call(server, "create_snapshot", { vmId, name: "s" });
        const { target } = await call(server, "attach_disk", { vmId, create: { pool, sizeGb: 1 } });
        const revert = () => call(server, "revert_snapshot", { vmId, name: "s" });
        await refused(revert(), "SnapshotNotRevertable", /was added since\. Detach it first/);
        await call(server, "detach_disk", { vmId, target });
        await revert();
      }),
  },
  "it does not have disk …. Detach that first": {
    here: (server) =>
      rawDisk(server, async (vmId, { pool }) => {
        await call(server, "create_snapshot", { vmId, name: "s" });
        const { target } = await call(server, "attach_disk", { vmId, create: { pool, sizeGb: 1 } });
        const revert = () => call(server, "revert_snapshot", { vmId, name: "s" });
        await refused(revert(), "SnapshotNotRevertable", /it does not have disk .*\. Detach that first/);
        await call(server, "detach_disk", { vmId, target });
        await revert();
      }),
  },
  "Convert it first": OUTSIDE,
  "the VM has internal snapshots: delete those first": {
    not:
      "needs firmware with variables of its own and earlier snapshots; deleting is tried by snapshots_test",
  },
  "the VM was reverted to it. Delete what came from it first": {
    by: "tests/system/external_snapshots_test.ts",
    words: "several images are built on it",
    then: "delete_snapshot",
  },
  "is in no active storage pool. Start its pool, or make one of its folder": {
    not: "its images lie where another program put them; making a pool of a folder is tried by storage_test",
  },
  "would be in none either. Start its pool, or make one of its folder, first": {
    here: async (server) => {
      await using vm = await testMachine({
        purpose: "remedy",
        guest: false,
        disks: [{ format: "raw", size: "8M" }],
      });
      const vmId = vm.uuid, name = `${vm.name}-pool`, disk = vm.disks[0]!;
      await known(server, vmId);
      const take = () => call(server, "create_snapshot", { vmId, name: "s" });
      await refused(take(), "SnapshotNotPossible", /make one of its folder, first/);
      const folder = disk.slice(0, disk.lastIndexOf("/"));
      await call(server, "create_storage_pool", { name, type: "dir", path: folder });
      try {
        await take();
        await call(server, "delete_snapshot", { vmId, name: "s" });
      } finally {
        await call(server, "delete_storage_pool", { pool: name });
      }
    },
  },
  "has by now. Give … another one first": {
    not:
      "needs two VMs with one MAC address, one of them in a snapshot; giving another is tried by vm_nics_test",
  },
  "Shut the VM down, then try again": {
    not: "needs a bitmap that a run has left which was cut short: backup_kills_test has those",
  },
  "Shut the VM down and remove it": {
    by: "tests/system/foreign_bitmaps_test.ts",
    words: '"create_snapshot", { vmId, name: "next" }',
    then: `"--remove", disk, "leftover"`,
  },
  "Delete that with that program": {
    by: "tests/system/foreign_bitmaps_test.ts",
    words: "deleted as advised, all goes on",
    then: '"checkpoint-delete", vm.name, "theirs"',
  },
};

/** Of disks: moving, growing, copying and joining them. */
const OF_DISKS: Readonly<Record<string, RemedyTrial>> = {
  "is in no storage pool. Start the VM, then resize it": {
    here: async (server) => {
      await using vm = await testMachine({ purpose: "remedy", guest: false, disks: [{ size: "8M" }] });
      const vmId = vm.uuid;
      await known(server, vmId);
      const grow = () => call(server, "resize_disk", { vmId, target: "vda", sizeGb: 1 });
      await refused(grow(), "ResizeFailed", /Start the VM, then resize it/);
      await call(server, "start_vm", { vmId });
      await grow();
      await call(server, "force_stop_vm", { vmId });
    },
  },
  "snapshots are within its image (…), and would be lost: delete them first": {
    here: (server) =>
      stopped(server, async (vmId) => {
        const other = await lastingPool("remedy-to");
        await knownPool(server, other.name);
        await call(server, "create_snapshot", { vmId, name: "s" });
        const move = () => call(server, "move_disk", { vmId, target: "vda", pool: other.name });
        await refused(move(), "DiskNotMovable", /snapshots are within its image .*: delete them first/);
        await call(server, "delete_snapshot", { vmId, name: "s" });
        await move();
      }),
  },
  "delete them first, which merges them": {
    here: (server) =>
      rawDisk(server, async (vmId) => {
        const other = await lastingPool("remedy-to");
        await knownPool(server, other.name);
        await call(server, "create_snapshot", { vmId, name: "s" });
        const move = () => call(server, "move_disk", { vmId, target: "vda", pool: other.name });
        await refused(move(), "DiskNotMovable", /delete them first, which merges them/);
        await call(server, "delete_snapshot", { vmId, name: "s" });
        await move();
      }),
  },
  "Delete that first": {
    by: "tests/system/pairs_built_on_test.ts",
    words: "StoragePoolNeeded: .*template built",
    then: "api.deleteTemplate({ templateId })",
  },
  "is built on …: clone it first": {
    not: "a clone stands alone, as copy_volume_test shows of a volume that is built on another",
  },
  ", or stop the pool and keep it": {
    by: "tests/system/pairs_built_on_test.ts",
    words: "StoragePoolNeeded: .*template built",
    then: "api.stopStoragePool",
  },
  "…, or keep the old volume": {
    not: "needs a pool that cannot be read; the advice is that of the next entry",
  },
  "is built on it: keep the old volume": {
    by: "tests/system/move_disk_refused_test.ts",
    words: "keep the old volume",
    then: "keepSource: true",
  },
  "Deleting the old volume is for administrators": {
    by: "tests/system/move_disk_refused_test.ts",
    words: '"Forbidden", text',
    then: "keepSource: true",
  },
  "it changes at the VM's next start: restart the VM, or discard that change, first": {
    not: "waits for a restart; discarding pending changes is tried by vm_update_test and vm_disks_test",
  },
  "that is passed through: shut the VM down first": { not: "needs a disk that is passed through" },
  "its storage pool … is not active. Start it, then try again": {
    here: (server) =>
      stopped(server, async (vmId, { pool }) => {
        await using copy = await claimedVm("remedy-clone");
        await call(server, "stop_storage_pool", { pool });
        const clone = () => call(server, "clone_vm", { vmId, name: copy.name });
        await assert.rejects(clone(), /is not active\. Start it, then try again/);
        await call(server, "start_storage_pool", { pool });
        const { vmId: made } = await clone();
        await call(server, "delete_vm", { vmId: made, deleteDisks: true, permanently: true });
      }),
  },
  "Put it back or detach the disk": {
    here: (server) =>
      stopped(server, async (vmId, { pool, disk }) => {
        await using copy = await claimedVm("remedy-clone");
        await Deno.rename(disk, `${disk}.away`);
        await call(server, "refresh_storage_pool", { pool });
        const clone = () => call(server, "clone_vm", { vmId, name: copy.name });
        await assert.rejects(clone(), /Put it back or detach the disk/);
        await Deno.rename(`${disk}.away`, disk);
        await call(server, "refresh_storage_pool", { pool });
        const { vmId: made } = await clone();
        await call(server, "delete_vm", { vmId: made, deleteDisks: true, permanently: true });
      }),
  },
  "Make a pool of the folder it is in, then try again": {
    here: async (server) => {
      await using vm = await testMachine({ purpose: "remedy", guest: false, disks: [{ size: "8M" }] });
      await using copy = await claimedVm("remedy-clone");
      const vmId = vm.uuid, pool = `${vm.name}-pool`, disk = vm.disks[0]!;
      await known(server, vmId);
      const clone = () => call(server, "clone_vm", { vmId, name: copy.name });
      await assert.rejects(clone(), /Make a pool of the folder it is in, then try again/);
      const path = disk.slice(0, disk.lastIndexOf("/"));
      await call(server, "create_storage_pool", { name: pool, type: "dir", path });
      try {
        const { vmId: made } = await clone();
        await call(server, "delete_vm", { vmId: made, deleteDisks: true, permanently: true });
      } finally {
        await call(server, "delete_storage_pool", { pool });
      }
    },
  },
  "Make a full clone, which can be made now": {
    here: (server) =>
      stopped(server, async (vmId) => {
        await using copy = await claimedVm("remedy-clone");
        await call(server, "start_vm", { vmId });
        const clone = (linked: boolean) => call(server, "clone_vm", { vmId, name: copy.name, linked });
        await assert.rejects(clone(true), /Make a full clone, which can be made now/);
        const { vmId: made } = await clone(false);
        await call(server, "delete_vm", { vmId: made, deleteDisks: true, permanently: true });
        await call(server, "force_stop_vm", { vmId });
      }),
  },
  "Clone it as it is now, or shut it down": {
    here: (server) =>
      stopped(server, async (vmId) => {
        await using copy = await claimedVm("remedy-clone");
        await call(server, "create_snapshot", { vmId, name: "s" });
        await call(server, "start_vm", { vmId });
        const clone = (of: object) => call(server, "clone_vm", { vmId, name: copy.name, ...of });
        const away = (made: string) =>
          call(server, "delete_vm", { vmId: made, deleteDisks: true, permanently: true });
        await assert.rejects(clone({ snapshot: "s" }), /Clone it as it is now, or shut it down/);
        await away((await clone({})).vmId);
        await call(server, "force_stop_vm", { vmId });
        await away((await clone({ snapshot: "s" })).vmId);
      }),
  },
  'all the same: tpm "new"': {
    by: "tests/system/tpm_state_test.ts",
    words: "clone_vm",
    then: 'tpm: "new"',
  },
  "name that as its backing file to allow it": {
    here: (server) =>
      stopped(server, async (vmId, { pool, disk }) => {
        await using other = await testMachine({
          purpose: "remedy-base",
          guest: false,
          disks: [{ size: "8M" }],
        });
        const backingFile = other.disks[0]!, path = `${disk.slice(0, disk.lastIndexOf("/"))}/over.qcow2`;
        await run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", backingFile, "-F", "qcow2", path]);
        await call(server, "refresh_storage_pool", { pool });
        const attach = (how: object) => call(server, "attach_disk", { vmId, path, target: "vdb", ...how });
        await refused(attach({}), "DiskRefused", /name that as its backing file to allow it/);
        await call(server, "delete_vm", { vmId: other.uuid, deleteDisks: false, permanently: true });
        await attach({ backingFile });
        await call(server, "detach_disk", { vmId, target: "vdb" });
      }),
  },
  "it is in the bin: restore it first": {
    here: async (server) => {
      const pool = await lastingPool("remedy-bin");
      await knownPool(server, pool.name);
      await using vm = await testMachine({ purpose: "remedy", guest: false });
      await known(server, vm.uuid);
      await call(server, "create_volume", { pool: pool.name, name: "a.qcow2", capacityBytes: 2 ** 20 });
      const { bin } = await call(server, "delete_volume", { pool: pool.name, volume: "a.qcow2" });
      const path = (await run(["find", `${pool.path}/${BIN_FOLDER}`, "-type", "f", "-size", "+1k"])).trim();
      const attach = (image: string) =>
        call(server, "attach_disk", { vmId: vm.uuid, path: image, format: "qcow2" });
      await refused(attach(path), "DiskRefused", /restore it first/);
      await call(server, "restore_bin_entry", { entryId: bin!.entryId });
      await attach(`${pool.path}/a.qcow2`);
      await call(server, "detach_disk", { vmId: vm.uuid, target: "vda" });
    },
  },
  "and must not change: use a copy of it": {
    not:
      "which template, clone or volume needs it is judged by image_chain_test; copying a volume is tried by volumes_test",
  },
  "and it must not change: use a copy of it": {
    not:
      "which template, clone or volume needs it is judged by image_chain_test; copying a volume is tried by volumes_test",
  },
  "or tick that it need not be one": {
    by: "tests/system/media_content_test.ts",
    words: "no volume descriptor",
    then: "anyMedium: true",
  },
  "or say unpack=never to keep it as it is": {
    not:
      "which packing cannot be unpacked is the host's lack of a program; unpack=never is tried by packed_upload_test",
  },
  "or say format raw to use it as it is": {
    here: (server) =>
      stopped(server, async (_vmId, { pool, disk }) => {
        await using made = await claimedVm("remedy-packed");
        await Deno.copyFile(disk, `${disk.slice(0, disk.lastIndexOf("/"))}/packed`);
        await run(["gzip", `${disk.slice(0, disk.lastIndexOf("/"))}/packed`]);
        await call(server, "refresh_storage_pool", { pool });
        const create = (how: object) =>
          call(server, "create_vm", {
            name: made.name,
            memoryMb: 128,
            nics: [],
            disks: [{ path: `${pool}/packed.gz`, ...how }],
          });
        await refused(create({}), "DiskRefused", /or say format raw to use it as it is/);
        const { id } = await create({ format: "raw" });
        await call(server, "delete_vm", { vmId: id, deleteDisks: false, permanently: true });
      }),
  },
  "cannot be copied: upload it, or make a pool of its folder": {
    not: "of an image outside pools; making a pool of a folder is tried with snapshots and clones here",
  },
};

/** Of the bin, of pools, and of what a deletion needs. */
const OF_STORAGE: Readonly<Record<string, RemedyTrial>> = {
  "the storage pool is stopped. Start it first": {
    here: (server) =>
      stopped(server, async (vmId) => {
        const place = await lastingPool("remedy-place");
        await knownPool(server, place.name);
        const { id: backupTargetId } = await call(server, "create_backup_target", {
          name: "remedy-place",
          kind: "pool",
          pool: place.name,
        });
        const { id: backupId } = await call(server, "create_backup", {
          name: "remedy-place",
          backupTargetId,
          targets: { vmIds: [vmId] },
        });
        await call(server, "stop_storage_pool", { pool: place.name });
        await refused(call(server, "run_backup_now", { backupId }), "BackupTargetUnusable", /Start it first/);
        await call(server, "start_storage_pool", { pool: place.name });
        assert.equal((await runOf(server, backupId)).state, "done");
        await call(server, "delete_backup", { backupId });
        await call(server, "delete_backup_target", { backupTargetId });
      }),
  },
  "it cannot be moved into the bin: …. Delete it permanently instead": {
    not: "needs a folder in which nothing can be moved; deleting permanently is tried by bin_test",
  },
  "Give what is at … another name, then restore this under its own": {
    not: "needs a deleted image whose base has no format; restoring under another name is tried by bin_test",
  },
  "Create a storage pool that has it, then restore this": {
    here: async (server) => {
      const pool = await lastingPool("remedy-bin");
      await knownPool(server, pool.name);
      await call(server, "create_volume", { pool: pool.name, name: "a.qcow2", capacityBytes: 2 ** 20 });
      const { bin } = await call(server, "delete_volume", { pool: pool.name, volume: "a.qcow2" });
      const restore = () => call(server, "restore_bin_entry", { entryId: bin!.entryId });
      await call(server, "delete_storage_pool", { pool: pool.name });
      await refused(restore(), "BinRestoreFailed", /Create a storage pool that has it/);
      await call(server, "create_storage_pool", { name: pool.name, type: "dir", path: pool.path });
      await knownPool(server, pool.name);
      await restore();
    },
  },
  "Take another name, or delete that from the bin": {
    not: "needs an encrypted volume in the bin; both ways are tried by bin_test and pairs_luks_test",
  },
  "Take it from that VM first, or have the VM work on a copy": {
    here: (server) =>
      stopped(server, async (vmId, { pool, disk }) => {
        await using other = await testMachine({ purpose: "remedy-other", guest: false });
        await known(server, other.uuid);
        const { bin } = await call(server, "delete_vm", { vmId, deleteDisks: false });
        await knownPool(server, pool);
        await call(server, "attach_disk", { vmId: other.uuid, path: disk, target: "vdb" });
        const restore = () => call(server, "restore_bin_entry", { entryId: bin!.entryId });
        await assert.rejects(restore(), /Take it from that VM first/);
        await call(server, "detach_disk", { vmId: other.uuid, target: "vdb" });
        await restore();
        await known(server, vmId);
      }),
  },
  "Create it, or give the network card another network": SAYS,
  "Create it, or take it from the network card": SAYS,
  "Allow private addresses for this target, or use another": {
    by: "tests/system/backup_targets_test.ts",
    words: "Allow private addresses",
    then: "privateAddresses: true",
  },
};

/** Of VMs: starting, renaming, restoring, and what they are made of. */
const OF_VMS: Readonly<Record<string, RemedyTrial>> = {
  "resume it and shut it down, or discard its saved memory": {
    here: (server) =>
      suspended(server, async (vmId, { name }) => {
        await using other = await claimedVm("remedy-off");
        const rename = () => call(server, "rename_vm", { vmId, name: other.name });
        await refused(
          rename(),
          "VmMustBeOff",
          /: resume it and shut it down, or discard its saved memory$/,
        );
        await call(server, "start_vm", { vmId });
        await call(server, "force_stop_vm", { vmId });
        await rename();
        await call(server, "rename_vm", { vmId, name });
        await call(server, "start_vm", { vmId });
        await call(server, "suspend_vm", { vmId });
        await refused(rename(), "VmMustBeOff");
        await call(server, "discard_saved_memory", { vmId });
        await rename();
        await call(server, "rename_vm", { vmId, name });
      }),
  },
  "the VM is suspended with this CD in its drive. Start it, or discard its saved memory, first.": {
    here: (server) =>
      stopped(server, async (vmId) => {
        const set = (hostname: string) =>
          call(server, "set_cloud_init", { vmId, cloudInit: { form: { hostname } } });
        await set("first");
        for (const way of ["discarded", "started"]) {
          await suspend(server, vmId);
          await assert.rejects(set(way), /Start it, or discard its saved memory, first\./);
          await call(server, way === "started" ? "start_vm" : "discard_saved_memory", { vmId });
          await set(way);
          if (way === "started") await call(server, "force_stop_vm", { vmId });
        }
        await call(server, "remove_cloud_init", { vmId });
      }),
  },
  "has snapshots, which are kept in the disks it has now. Delete them first": {
    here: (server) =>
      stopped(server, async (vmId) => {
        await using folder = await backupFolder();
        const { id: backupId } = await call(server, "create_backup", {
          name: "remedy-place",
          folder: folder.path,
          targets: { vmIds: [vmId] },
        });
        const { id: runId } = await runOf(server, backupId);
        await call(server, "create_snapshot", { vmId, name: "s" });
        const restore = () => call(server, "restore_backup", { backupId, runId, vmId, inPlace: true });
        await assert.rejects(restore(), /has snapshots, which are kept .* Delete them first/);
        await call(server, "delete_snapshot", { vmId, name: "s" });
        await restore();
        await call(server, "delete_backup", { backupId });
      }),
  },
  "is another VM that has its id. Restore the copy as a new VM": {
    not:
      "needs a VM that virsh makes with a deleted one's id (coverage_test); restoring as a new VM is tried by backups_test",
  },
  "one of its disks failed again, and QEMU paused it. Make room on its storage": {
    by: "tests/system/resume_full_test.ts",
    words: "Make room",
    then: 'call(server, "resume_vm", { vmId: vm.uuid });',
  },
  "Start it": SAYS,
  "Keep it off until those are gone": {
    by: "tests/system/pairs_images_test.ts",
    words: "/in the bin/",
    then: "api.deleteBinEntry",
  },
  "has the image of its disk …, too. Detach it from one of them": {
    not: "needs two VMs that virsh has given one image; detaching is tried by vm_disks_test",
  },
  "this host uses its disk …: …. Detach it": {
    not: "needs a disk of the host that is mounted; detaching is tried by vm_disks_test",
  },
  "Detach it, and attach the one that is meant": {
    by: "tests/system/pairs_devices_test.ts",
    words: "HostDeviceChanged",
    then: "api.detachHostDevice",
  },
  "Give it variables of its own first": {
    not: "needs two VMs that virsh has given one file of variables: vm_nvram_test has the refusal",
  },
  "Remove it from the VM, or share another folder": {
    here: (server) =>
      stopped(server, async (vmId) => {
        const folder = await sharedFolder();
        await call(server, "attach_share", { vmId, folder: folder.path, tag: "remedy" });
        await folder[Symbol.asyncDispose]();
        const start = () => call(server, "start_vm", { vmId });
        await assert.rejects(start(), /Remove it from the VM, or share another folder/);
        await call(server, "detach_share", { vmId, tag: "remedy" });
        await start();
        await call(server, "force_stop_vm", { vmId });
      }),
  },
  "it has …. Remove that first": {
    here: (server) =>
      stopped(server, async (vmId) => {
        await using folder = await sharedFolder();
        await call(server, "attach_share", { vmId, folder: folder.path, tag: "remedy" });
        const make = () => call(server, "create_template", { name: "remedy-bound", vmId, seal: [] });
        await refused(make(), "TemplateRefused", /Remove that first/);
        await call(server, "detach_share", { vmId, tag: "remedy" });
        const { id: templateId } = await make();
        await call(server, "delete_template", { templateId, permanently: true });
      }),
  },
  "…. Detach it first": {
    not: "of a disk that no template can copy; detaching is tried by vm_disks_test",
  },
  "Put them back here, or by": {
    by: "tests/system/coverage_test.ts",
    words: "took away the tag",
    then: "api.updateVm({ vmId, tags: [tag] })",
  },
};

/** Of screens and lines. */
const OF_CONSOLES: Readonly<Record<string, RemedyTrial>> = {
  "Take it over, or close the other one": {
    by: "tests/system/console_cli_test.ts",
    words: "Another session holds",
    then: '"--force"',
  },
  "Use the console in the browser": SAYS,
};

/** Words of a text → how what it advises is tried. */
export const OF_REASONS: Readonly<Record<string, RemedyTrial>> = {
  "has passed: it was asked to shut down then": {
    by: "tests/system/projects_test.ts",
    words: "/has passed/.test(text)",
    then: 'call(server, "set_vm_end", { vmId })',
  },
  "it is shut down then. Set another end date": {
    by: "tests/system/projects_test.ts",
    words: "it is shut down then/.test(text)",
    then: 'call(server, "set_vm_end", { vmId, endsAt:',
  },
  ...OF_HOSTS,
  ...OF_SNAPSHOTS,
  ...OF_DISKS,
  ...OF_STORAGE,
  ...OF_VMS,
  ...OF_CONSOLES,
  ...OF_GRPC,
  ...OF_MCP,
  ...OF_REPLICATION,
  ...OF_PROFILES,
  ...OF_SECRETS,
  ...all(ANOTHER, [
    "timeZone is no time zone. Give",
    "there are no texts in that language. Give",
    "is for a user: give the field user as well",
    "userId is missing: root",
    "give either password",
    "keeps no files. Take one of type",
    "Leave the passphrase empty",
    "give the endpoint and the region",
    "a control character. Remove it",
    "spells bytes that are a character",
    "window and since or until",
    "ask for less, or for auto",
    "give either vmId or address",
    "Give a checksum to allow that",
    "give the address it leads to",
    "a backup has VMs of its own: leave out",
    "say that its format is qcow2 if that is meant",
    "say which image: a volume",
    "give either url or catalogId",
    "give one of sha256",
    "a volume can have. Say one",
    "name the folder itself",
    "say of what it is made",
    "allowed are …: see the rules",
    "say one of create and path",
    "say what to change",
    "Change it with its hardware",
    "the pool … has neither files nor devices: choose another",
    "it is in the pool … already: choose another",
    "say one of network, bridge",
    "for a network filter: choose one",
    "folder's name. Give one",
    "pool … has neither: choose another",
    "makes volumes of …: choose another pool",
    "exists already in the pool …. Choose another name",
    "keeps no files. Choose another one",
    "and that this one would take the place of. Choose another name",
    "is needed: say which figure",
    "say its format: it is in no storage pool",
    "CPU mode …. Choose",
    "has no TPM …. Choose",
    "no video card …. Choose",
    "limit reads and writes together",
    "give the host's in it, usually the first",
    "take the address in the Link header",
    "is no time zone. Give its IANA name, as Europe/Berlin",
    "Write it as 2026",
    "give the public one (.pub)",
    "put the entry into quotes",
    "write it out",
    "disks: say it there",
    "nics: say it there",
    "it is a drive: insert a medium",
    "VMs. Export each of them",
  ]),
  ...all(WAIT, [
    "Nothing was changed. Verify it again.",
    "Try again in a moment.",
    "Try it again in a minute",
    "somebody else changed this VM meanwhile",
    "somebody else keeps changing this VM",
    "another program keeps changing this VM",
    "Try again once it has started",
    "being copied just now",
    "copies or merges disk",
    "What it has done in the guest stays",
    "are as they were. Run the schedule again",
    "The VMs are as they were. Run the backup job again",
    "Wait until it does, or force it off",
  ]),
  ...all(OUTSIDE, [
    "Make it, on Debian with",
    "Take that away: chmod go-w",
    "chown it, or take another folder",
    "Take that away: chmod o-w",
    "Start it as another user, or from a folder",
    "the demo has a temporary folder",
    "Install it: apt-get install libguestfs",
    "switch virtualization (VT-x",
    "Restart the guest if it hangs",
    "Stop the other program, or choose another with --listen",
    "give both, or neither",
    "put https:// in front",
    "Stop it first, or use another --runtime-dir",
    "Make it with groupadd first",
    "restart libvirt (systemctl restart libvirtd)",
    "libvirt was restarted while it began one",
    "Start KVM Manager with --metrics-endpoint",
    "Move it away to begin a new one",
    "keep metrics for fewer days",
    "Look whether its file system is full",
    "cannot be written (…). Make room",
    "install and start the package openvswitch",
    "install libvirt-daemon-driver-nwfilter",
    "See kvm-manager serve --help",
    "set it with qemu-img rebase",
    "bring it back, or detach it from that VM",
    "stop that pool, or repair its server",
    "open its address in a browser",
    "libvirt has no driver for it: install",
    "is not there: install",
    "Empty it on the host first",
    "check it, then restart KVM Manager",
    "Check it: if it is right",
    "Put it on a disk of this host: --data-dir",
    "put a copy of it back in its place",
    "Make its folder and file system writable",
    "put a saved state back",
    "Use that version, or put back the copy",
    "Stop the other one (systemctl stop",
    "Stop KVM Manager, …, then start again",
    "Check its file system's space",
    "Look for the cause in the kernel's log, then mount it writable",
    "Give one without: the server starts",
    "See why: journalctl",
    "run it as root",
    "with virsh blkdeviotune",
    "start the VM with it and with … in turn",
    "Start the VM with each of them in turn",
    "Unmount the storage first",
    "Run kvm-manager doctor there",
    "Export it whole",
    "Put the file itself into the folder",
    "Create a pool for its folder there first",
    "To get virtio: install its drivers in the guest",
    "Shut it down there first",
    "Decrypt the VM at the source first",
    "Copy it into a file there first",
    "Consolidate the snapshots at the source first",
    "Export it in one piece",
    "Export it without compression",
    "repair it with qemu-img check -r",
    "Make it with tar --format=ustar",
    "Install it (Debian: ovmf",
    "Install swtpm",
    "Delete that file while the VM is off",
    "change them in its XML",
    "Add the channel org.qemu",
    "Insert the guest tools and run",
    "See agent.json in the guest",
    "Install QEMU's guest agent",
    "Use --listen",
    "delete it with that",
    "another program made it, with its memory",
    "Check the storage its disks are on",
    "their next start. Then run their installer in the guest",
    "Insert the guest tools, and run their installer in the guest",
    "Close it: another KVM Manager, or a script",
    "Look at the guest's console: it may hang",
    "blocked RPCs in the guest's",
    "Install a newer qemu-guest-agent in the guest",
    "Use the VM's console",
    "Wait until it thaws, or thaw it",

    "do not force this one off",
  ]),
  ...all(ANOTHER, [
    "the VM is on this host already. Clone it instead",
    "Say which one",
    "Choose a network or bridge of that VLAN",
    "Create the VM from its disk instead",
  ]),
  ...all(OUTSIDE, [
    "Add 127.0.0.1 to no_proxy there",
    "Move it into the folder of the VM there",
    "Leave the VM off, and import it again",
    "Move it to a storage of files, LVM or ZFS there first",
  ]),
  ...all(ANOTHER, [
    "Say its UUID instead (--vm)",
    "Say the number of the one that is meant",
    "origin names no node: give its name or address",
    "names no server: give its name or address",
    "Give the password, or add the key there",
  ]),
  ...all(SAYS, [
    // A request's head, and a script: they are no advice
    "connection: close",
    "it is no node of Proxmox VE",
    "Add them again if they belong",
    "Add it again if it belongs",
    "Sign in, then try again",
    "for its disks; allow warns",
    "which a name does not open: allow",
    "let names lead to private networks",
    "Look at it before you start",
    "Look at its log, then start it again",
    "check that it belongs there",
    "Set its own addresses",
    "Set what belongs to it",
    "Look for a cause that they share",
    "insert a medium after the import",
    "Make a forward to that VM",
    "delete it separately where nothing else",
  ]),
};

/** Words so short that they are in other texts, too. */
const SHORT = 12;

/** The entry of a text; undefined where it has none. */
export const trialOf = (text: string): RemedyTrial | undefined =>
  Object.entries(OF_REASONS).find(([part]) => part.length < SHORT ? text === part : text.includes(part))?.[1];
