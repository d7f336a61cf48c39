/** Saved memory of a suspended VM goes on with the disks, media, cards and snapshots that it was saved with: none is taken away. */
import assert from "node:assert/strict";
import { ContractError, type ErrorCode } from "../../lib/contract/mod.ts";
import { appHere } from "../testbed/app_here.ts";
import { write } from "../testbed/backups.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { testNetwork } from "../testbed/network.ts";
import { ownLibvirtd } from "../testbed/own_libvirtd.ts";
import { testPool } from "../testbed/pool.ts";
import { exists } from "../testbed/process.ts";
import { requirement } from "../testbed/skip.ts";
import { URI } from "../testbed/virsh.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null || await ownLibvirtd("saved-memory") !== null;

type Here = Awaited<ReturnType<typeof appHere>>;
type Machine = Awaited<ReturnType<typeof testMachine>>;

const off = (purpose: string, options: Parameters<typeof testMachine>[0] = {}) =>
  testMachine({ purpose, guest: false, memoryMiB: 64, machine: "pc", agent: false, ...options });

const stateIs = ({ app }: Here, { uuid }: Machine, state: string) =>
  until(`the VM is ${state}`, () => Promise.resolve(app.hosts.local.inventory.vm(uuid)?.state === state));

const poolKnown = ({ app }: Here, name: string) =>
  until("the pool is known", async () => {
    await app.hosts.local.inventory.storage.refresh();
    return app.hosts.local.inventory.storage.record(name) !== undefined;
  });

/** Starts it, does what is to be in its memory, and saves that. */
async function suspend(here: Here, vm: Machine, before?: () => Promise<unknown>): Promise<void> {
  await here.api.startVm({ vmId: vm.uuid });
  await stateIs(here, vm, "running");
  await before?.();
  await here.api.suspendVm({ vmId: vm.uuid });
  await stateIs(here, vm, "suspended");
}

async function refused(work: Promise<unknown>, code: ErrorCode = "HasSavedMemory"): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof ContractError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, /[Ss]tart .+ or discard (its|the) saved (memory|state)/);
    return true;
  });
}

const stored = ({ name }: Machine) => virsh("dumpxml", name, "--inactive", "--security-info");

/** It goes on with its memory, which only what it was saved with lets it. */
async function goesOn(here: Here, vm: Machine): Promise<void> {
  await here.api.startVm({ vmId: vm.uuid });
  assert.match(await virsh("domstate", "--reason", vm.name), /^running \(restored\)/);
  await here.api.forceStopVm({ vmId: vm.uuid });
  await stateIs(here, vm, "stopped");
}

Deno.test({
  name: "disks, media, cards and the XML of a suspended VM stay as its memory was saved with them",
  ignore,
  fn: async (t) => {
    await using here = await appHere([], URI);
    await using pool = await testPool("saved-memory");
    await using network = await testNetwork("saved-memory");
    await using vm = await off("saved-memory", {
      network,
      disks: [{ pool, size: "8M" }, { pool, size: "8M" }],
    });
    await using other = await off("saved-memory-b", { network, disks: [{ pool, size: "8M" }] });
    const { api } = here, vmId = vm.uuid, mac = vm.mac!;
    for (const each of [vm, other]) await stateIs(here, each, "stopped");
    await poolKnown(here, pool.name);
    await Deno.writeTextFile(`${pool.path}/notes.iso`, "a text, and no ISO\n".repeat(200));
    await api.refreshStoragePool({ pool: pool.name });
    const drive = { vmId, device: "cdrom", bus: "ide" } as const;
    const { target } = await api.attachDisk({ ...drive, path: `${pool.path}/notes.iso` });
    const xmlOf = async () => (await api.getVmXml({ vmId, secure: true, inactive: true })).xml;
    const create = { pool: pool.name, sizeGb: 1 };

    const changes: Readonly<Record<string, () => Promise<unknown>>> = {
      "a disk is detached, which another VM could get": () => api.detachDisk({ vmId, target: "vdb" }),
      "… with its volume": () => api.detachDisk({ vmId, target: "vdb", deleteVolume: true }),
      "… for the next start alone": () => api.detachDisk({ vmId, target: "vdb", persistent: true }),
      "a disk is attached": () => api.attachDisk({ vmId, create }),
      "a disk grows": () => api.resizeDisk({ vmId, target: "vdb", sizeGb: 1 }),
      "a disk may be shared": () => api.updateDisk({ vmId, target: "vdb", shareable: true }),
      "a medium is ejected": () => api.ejectMedia({ vmId, target }),
      "a medium is put in": () => api.insertMedia({ vmId, target, path: `${pool.path}/notes.iso` }),
      "a card is detached": () => api.detachNic({ vmId, mac }),
      "a card is attached": () => api.attachNic({ vmId, network: network.name }),
      "a card gets another address": () => api.updateNic({ vmId, mac, newMac: "52:54:00:aa:bb:cc" }),
      "a card gets a filter": () => api.updateNic({ vmId, mac, filter: "clean-traffic" }),
      "a card is plugged in elsewhere": () => api.updateNic({ vmId, mac, user: "slirp" }),
      "the XML leaves a disk out": async () => {
        const xml = (await xmlOf()).replace(/<disk (?:(?!<\/disk>)[^])*'vdb'[^]*?<\/disk>/, "");
        return await api.setVmXml({ vmId, xml });
      },
    };
    for (const way of ["suspend_vm", "virsh managedsave"]) {
      if (way === "suspend_vm") await suspend(here, vm);
      else {
        await api.startVm({ vmId });
        await virsh("managedsave", vm.name);
      }
      const before = await stored(vm);
      for (const [name, change] of Object.entries(changes)) {
        await t.step(`${way}: ${name}`, async () => {
          await refused(change());
          assert.equal(await stored(vm), before);
        });
      }
      await t.step(`${way}: it goes on with all of them`, async () => {
        await stateIs(here, vm, "suspended");
        for (const path of vm.disks) assert.ok(await exists(path));
        await goesOn(here, vm);
      });
    }
    await t.step("moving a disk is refused as a rename is", async () => {
      await suspend(here, vm);
      const move = api.moveDisk({ vmId, target: "vdb", pool: pool.name });
      await assert.rejects(move, /discard its saved memory/);
    });
    await t.step("what the memory does not care for is changed", async () => {
      await api.setTags({ vmId, tags: ["kept"] });
      await api.updateVm({ vmId, description: "suspended", autostart: true });
      // As the page sends it: what is not to change is in it, too
      await api.updateDisk({ vmId, target: "vdb", shareable: false, readBytesSec: 2 ** 20 });
      // Taken back: not every kernel has what a start with it needs
      for (const inboundAverage of [1000, 0]) await api.updateNic({ vmId, mac, inboundAverage });
      await api.updateVm({ vmId, autostart: false });
      const { next: { cpu } } = await api.getHardware({ vmId });
      const changed = await api.updateVm({ vmId, cpu: { max: cpu.max + 1 } });
      const waits = changed.waiting.map(({ field, live, next }) => [field, live, next]);
      assert.deepEqual(waits, [["cpu.max", String(cpu.max), String(cpu.max + 1)]]);
      await goesOn(here, vm);
    });
    await t.step("once the memory is discarded, a disk goes to another VM", async () => {
      await suspend(here, vm);
      const detach = () => api.detachDisk({ vmId, target: "vdb" });
      await refused(detach());
      await api.discardSavedMemory({ vmId });
      await detach();
      await api.attachDisk({ vmId: other.uuid, path: vm.disks[1]! });
    });
  },
});

Deno.test({
  name: "a suspended VM is not reverted under its memory, and no image goes that the memory needs",
  ignore,
  fn: async (t) => {
    await using here = await appHere([], URI);
    await using pool = await testPool("saved-snaps");
    const { api } = here;
    await t.step("a snapshot within the disk", async () => {
      await using vm = await off("saved-within", { disks: [{ pool, size: "8M" }] });
      const vmId = vm.uuid, revert = () => api.revertSnapshot({ vmId, name: "before" });
      await stateIs(here, vm, "stopped");
      await api.createSnapshot({ vmId, name: "before" });
      await suspend(here, vm, () => write(vm, "write -P 7 0 64k"));
      const [shown] = (await api.listSnapshots({ vmId })).snapshots;
      assert.match(shown!.hindrance ?? "", /discard its saved memory/);
      await refused(revert());
      await api.startVm({ vmId });
      await write(vm, "read -P 7 0 64k");
      await api.suspendVm({ vmId });
      await stateIs(here, vm, "suspended");
      await api.discardSavedMemory({ vmId });
      await revert();
      await api.startVm({ vmId });
      await write(vm, "read -P 0 0 64k");
      await api.forceStopVm({ vmId });
    });
    await t.step("a snapshot with memory; deletion within the disk is allowed", async () => {
      await using vm = await off("saved-live", { disks: [{ pool, size: "8M" }] });
      const vmId = vm.uuid;
      await stateIs(here, vm, "stopped");
      await suspend(here, vm, () => api.createSnapshot({ vmId, name: "live" }));
      await refused(api.revertSnapshot({ vmId, name: "live" }));
      assert.equal(await vm.state(), "shut off");
      await api.deleteSnapshot({ vmId, name: "live" });
      await goesOn(here, vm);
    });
    await t.step("a snapshot in an image of its own", async () => {
      await using vm = await off("saved-external", { disks: [{ pool, size: "8M", format: "raw" }] });
      const vmId = vm.uuid;
      await stateIs(here, vm, "stopped");
      await api.createSnapshot({ vmId, name: "before" });
      await suspend(here, vm, () => write(vm, "write -P 7 0 64k"));
      await refused(api.revertSnapshot({ vmId, name: "before" }));
      await refused(api.deleteSnapshot({ vmId, name: "before" }));
      await goesOn(here, vm);
      await api.deleteSnapshot({ vmId, name: "before" });
    });
  },
});

Deno.test({
  name: "what saved memory has is in use, also where virsh has taken it out of the stored definition",
  ignore,
  fn: async (t) => {
    await using here = await appHere([], URI);
    await using pool = await testPool("saved-used");
    await using network = await testNetwork("saved-used");
    await using vm = await off("saved-used", {
      network,
      disks: [{ pool, size: "8M" }, { pool, size: "8M" }],
    });
    await using other = await off("saved-used-b");
    const { api, app: { hosts: { local: { inventory } } } } = here, { name, uuid: vmId } = vm;
    const path = vm.disks[1]!, volume = path.split("/").at(-1)!, mac = vm.mac!;
    for (const each of [vm, other]) await stateIs(here, each, "stopped");
    await poolKnown(here, pool.name);
    await suspend(here, vm);
    await virsh("detach-disk", name, "vdb", "--config");
    await virsh("detach-interface", name, "network", mac, "--config");
    // libvirt reports no change of a stored definition by virsh
    await inventory.refresh(vmId);
    assert.deepEqual([inventory.vm(vmId)!.disks.length, inventory.vm(vmId)!.networkInterfaces.length], [
      1,
      0,
    ]);
    const refusals: Readonly<Record<string, [ErrorCode, () => Promise<unknown>]>> = {
      "the volume of its disk goes": ["VolumeInUse", () => api.deleteVolume({ pool: pool.name, volume })],
      "its network goes": ["NetworkInUse", () => api.deleteNetwork({ name: network.name })],
      "its disk goes to another VM": ["DiskInUse", () => api.attachDisk({ vmId: other.uuid, path })],
      "its address goes to another VM": [
        "MacInUse",
        () => api.attachNic({ vmId: other.uuid, network: network.name, mac }),
      ],
    };
    for (const [what, [code, change]] of Object.entries(refusals)) {
      await t.step(what, () => assert.rejects(change(), { code }));
    }
    await t.step("it does not go on while another VM writes to its disk", async () => {
      await virsh("attach-disk", other.name, path, "vdb", "--subdriver", "qcow2", "--config");
      await virsh("start", other.name);
      await stateIs(here, other, "running");
      await inventory.refresh(other.uuid);
      await assert.rejects(api.startVm({ vmId }), { code: "DiskInUse" });
      await virsh("destroy", other.name);
      await virsh("detach-disk", other.name, "vdb", "--config");
      await stateIs(here, other, "stopped");
      await inventory.refresh(other.uuid);
    });
    await t.step("once it is discarded, all of that can be done", async () => {
      await api.discardSavedMemory({ vmId });
      await api.attachDisk({ vmId: other.uuid, path });
      await api.attachNic({ vmId: other.uuid, network: network.name, mac });
      await assert.rejects(api.deleteNetwork({ name: network.name }), { code: "NetworkInUse" });
      await api.detachNic({ vmId: other.uuid, mac });
      await api.deleteNetwork({ name: network.name });
    });
  },
});

Deno.test({
  name:
    "the memory of a suspended VM that is deleted is told to be lost, and once more when the VM comes back",
  ignore,
  fn: async (t) => {
    await using here = await appHere([], URI);
    await using pool = await testPool("saved-bin");
    const { api } = here;
    await poolKnown(here, pool.name);
    await api.updateBinPolicy({ days: 7 });
    for (const deleteDisks of [true, false]) {
      await t.step(deleteDisks ? "with its disks" : "without them", async () => {
        await using vm = await off("saved-bin", { disks: [{ pool, size: "8M" }] });
        const vmId = vm.uuid;
        await stateIs(here, vm, "stopped");
        await suspend(here, vm);
        const lost = /saved memory was deleted/, gone = await api.deleteVm({ vmId, deleteDisks });
        assert.match(String(gone.warnings), lost);
        const { warnings } = await api.restoreBinEntry({ entryId: gone.bin!.entryId });
        assert.match(String(warnings), /saved memory was not kept/);
        await stateIs(here, vm, "stopped");
        // What had none loses none
        const again = await api.deleteVm({ vmId, deleteDisks });
        assert.doesNotMatch(String(again.warnings), lost);
        const back = await api.restoreBinEntry({ entryId: again.bin!.entryId });
        assert.deepEqual(back.warnings, []);
        await stateIs(here, vm, "stopped");
      });
    }
  },
});
