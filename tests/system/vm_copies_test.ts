/**
 * Tests the parts that copies of VMs have of their own: disks of a snapshot, UEFI variables, a TPM; clones and VMs of
 * templates alike.
 */
import assert from "node:assert/strict";
import { noFirmware } from "../testbed/firmware.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { releaseName, testName } from "../testbed/names.ts";
import { testPool } from "../testbed/pool.ts";
import { exists, run } from "../testbed/process.ts";
import { call, known, readyServer, refused, shows } from "../testbed/product.ts";
import { removeDomain } from "../testbed/removal.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("qemu") !== null;

/** A name for VMs, which are removed in the end with these endings. */
async function vmNames(...endings: string[]): Promise<{ name: string } & AsyncDisposable> {
  const name = await testName("copies");
  return {
    name,
    [Symbol.asyncDispose]: async () => {
      for (const ending of endings) await removeDomain(`${name}${ending}`);
      await releaseName(name);
    },
  };
}

/** Writes a byte to the start of a qcow2 disk, or checks that it is there. */
const io = (path: string, command: "write" | "read", byte: string) =>
  run(["qemu-io", "-f", "qcow2", "-c", `${command} -P ${byte} 0 64k`, path]);

Deno.test({
  name: "clone_vm() copies the disks as they were in a snapshot",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    await using pool = await testPool("copies");
    await using vm = await testMachine({ purpose: "copies", guest: false, disks: [{ pool }] });
    await using own = await vmNames("-1", "-2");
    await known(server, vm.uuid);
    const [disk] = vm.disks as [string];
    const clone = (ending: string, more: { snapshot: string; linked?: boolean }) =>
      call(server, "clone_vm", { vmId: vm.uuid, name: `${own.name}${ending}`, ...more });
    await io(disk, "write", "0x11");
    await call(server, "create_snapshot", { vmId: vm.uuid, name: "first" });
    await io(disk, "write", "0x22");
    const later = await pool.createVolume("later.raw", "8M", "raw");
    await virsh("attach-disk", vm.name, later, "vdb", "--config", "--subdriver", "raw");
    await shows(server, vm.uuid, ({ disks }) => disks.length === 2);
    await refused(
      clone("-1", { snapshot: "first" }),
      "DiskNotClonable",
      /vdb .*the snapshot first does not have it/,
    );
    await virsh("detach-disk", vm.name, "vdb", "--config");
    await shows(server, vm.uuid, ({ disks }) => disks.length === 1);
    await call(server, "create_snapshot", { vmId: vm.uuid, name: "second" });
    await io(disk, "write", "0x33");

    await refused(clone("-1", { snapshot: "none" }), "SnapshotNotFound");
    await refused(clone("-1", { snapshot: "first", linked: true }), "InvalidInput", /a full one/);
    const before = await virsh("snapshot-list", vm.name, "--name");
    for (const [ending, snapshot, byte] of [["-1", "first", "0x11"], ["-2", "second", "0x22"]] as const) {
      const made = await clone(ending, { snapshot });
      await io(made.disks[0]!.path, "read", byte);
      const found = await run(["qemu-img", "info", "--output=json", made.disks[0]!.path]);
      assert.equal(found.includes('"snapshots"'), false);
      assert.deepEqual((await call(server, "list_snapshots", { vmId: made.vmId })).snapshots, []);
    }
    await io(disk, "read", "0x33");
    assert.equal(await virsh("snapshot-list", vm.name, "--name"), before);
  },
});

Deno.test({
  name: "copies of a UEFI VM have its variables in a file of their own, and a TPM of their own",
  ignore: ignore || await noFirmware() !== null,
  fn: async () => {
    await using server = await readyServer();
    await using pool = await testPool("copies");
    await using own = await vmNames("", "-clone", "-made");
    const { id: vmId } = await call(server, "create_vm", {
      name: own.name,
      memoryMb: 256,
      firmware: "uefi",
      nics: [],
      disks: [{ sizeGb: 1, pool: pool.name }],
      start: true,
    });
    await call(server, "force_stop_vm", { vmId });
    await shows(server, vmId, ({ state }) => state === "stopped");
    // What libvirt chooses for a VM of which only the kind of firmware is known: no stored XML tells it.
    const nvramOf = (name: string) => `/var/lib/libvirt/qemu/nvram/${name}_VARS.fd`;
    const tpmOf = (id: string) => `/var/lib/libvirt/swtpm/${id}`;
    const original = nvramOf(own.name);
    // Its program does not run everywhere: the VM is not started with it.
    await call(server, "update_vm", { vmId, tpm: { model: "tpm-crb", version: "2.0" } });
    await shows(server, vmId, ({ operation }) => operation === undefined);
    // What firmware has written there by now may be what it was made with.
    const variables = await Deno.readFile(original);
    variables[variables.length - 1] = 0x5a;
    await Deno.writeFile(original, variables);

    const clone = await call(server, "clone_vm", { vmId, name: `${own.name}-clone` });
    const template = await call(server, "create_template", { vmId, name: own.name });
    const { vms: [made] } = await call(server, "create_vm_from_template", {
      templateId: template.id,
      name: `${own.name}-made`,
    });
    assert.equal(template.versions[0]!.firmware, "uefi");
    const jobs = await call(server, "list_jobs");
    const { log } = await call(server, "get_job", {
      jobId: jobs.find(({ command }) => command === "clone_vm")!.id,
    });
    assert.ok(log.some(({ text }) => text.includes("gets a new TPM: ")));
    for (const { vmId: id, name } of [clone, made!]) {
      const path = nvramOf(name);
      assert.notEqual(path, original);
      assert.deepEqual(await Deno.readFile(path), variables);
      assert.equal(await exists(tpmOf(id)), false);
      assert.match(await virsh("dumpxml", name, "--inactive"), /<tpm /);
      await call(server, "delete_vm", { vmId: id, deleteDisks: true });
      assert.equal(await exists(path), false);
    }
    assert.deepEqual(await Deno.readFile(original), variables);
    await call(server, "delete_template", { templateId: template.id });
    const left = (await Array.fromAsync(Deno.readDir(pool.path))).map(({ name }) => name);
    assert.deepEqual(left.filter((name) => name.startsWith("template-")), []);
    await call(server, "delete_vm", { vmId, deleteDisks: true });
  },
});
