/** Disks and devices of the host by names that last, and looked at again before each start: the kernel's are others' later. */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { rememberDevices, requireSameDevices } from "../../agent/vm/devices/device_identity.ts";
import { appHere } from "../testbed/app_here.ts";
import { virsh } from "../testbed/libvirt.ts";
import { write } from "../testbed/backups.ts";
import { ensureLoopDevices, loopDevice, swapLoopDevices } from "../testbed/loop.ts";
import { testMachine } from "../testbed/machine.ts";
import { filesOf } from "../testbed/names.ts";
import { exists, run } from "../testbed/process.ts";
import { requirement } from "../testbed/skip.ts";
import { skippedUnless } from "../testbed/skipped_unless.ts";
import { Unavailable } from "../testbed/unavailable.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;

async function whyNoLoop(): Promise<string | undefined> {
  try {
    await ensureLoopDevices();
    return undefined;
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    return error.message;
  }
}
const noLoop = ignore ? "no guests" : await whyNoLoop();

type Here = Awaited<ReturnType<typeof appHere>>;
const vmOf = async (here: Here, uuid: string) => {
  await until(
    "the VM is known",
    () => Promise.resolve(here.app.hosts.local.inventory.vm(uuid) !== undefined),
  );
  return here.app.hosts.local.inventory.vm(uuid)!;
};

Deno.test({
  name:
    "a disk of the host keeps the name that it was given by; one that the host mounts since keeps the VM off",
  ignore: skippedUnless(noLoop === undefined, noLoop ?? ""),
  fn: async (t) => {
    await using vm = await testMachine({ purpose: "by-id", guest: false });
    await using here = await appHere();
    const { api } = here, vmId = vm.uuid, folder = filesOf(vm.name);
    await vmOf(here, vmId);
    await using first = await loopDevice(`${folder}/first.img`, 16);
    await using second = await loopDevice(`${folder}/second.img`, 16);
    await using link = await deviceLink(`/dev/disk/by-id/${vm.name}`, first.path);
    const name = link.path;
    await t.step("as given, also with the kernel's name of the same device", async () => {
      await api.attachDisk({ vmId, path: name, format: "raw" });
      assert.match(await virsh("dumpxml", vm.name), new RegExp(`<source dev='${name}'`));
      await assert.rejects(api.attachDisk({ vmId, path: first.path, format: "raw" }), { code: "DiskInUse" });
      await api.startVm({ vmId });
      await api.forceStopVm({ vmId });
    });
    await t.step("another device by that name, which is mounted", async () => {
      await run(["mke2fs", "-q", "-F", second.path]);
      const mount = `${folder}/mount`;
      await Deno.mkdir(mount);
      await run(["mount", second.path, mount]);
      try {
        await link.leadsTo(second.path);
        const refusal = { code: "DiskRefused", message: /this host uses it: the file system .*\/mount/ };
        await assert.rejects(api.startVm({ vmId }), refusal);
        await assert.rejects(api.startVm({ vmId, bootFrom: "network" }), refusal);
        await assert.rejects(api.attachDisk({ vmId, path: second.path, format: "raw" }), {
          code: "DiskRefused",
        });
      } finally {
        await run(["umount", mount]);
      }
      await api.startVm({ vmId });
      await api.forceStopVm({ vmId });
    });
  },
});

/** Folders of udev's links to block devices, which stay the same if the kernel numbers the devices differently. */
const STABLE: Readonly<Record<string, (name: string) => string>> = {
  "/dev/disk/by-id": (name) => `/dev/disk/by-id/${name}`,
  "/dev/mapper": (name) => `/dev/mapper/${name}`,
  "a volume group": (name) => `/dev/${name}/lv`,
};

/** A link to a block device, as udev makes them. */
async function deviceLink(path: string, device: string) {
  const folder = dirname(path), isOwn = !await exists(folder);
  await Deno.mkdir(folder, { recursive: true });
  await Deno.symlink(device, path);
  return {
    path,
    leadsTo: async (other: string) => {
      await Deno.remove(path);
      await Deno.symlink(other, path);
    },
    [Symbol.asyncDispose]: async () => {
      await Deno.remove(path);
      if (isOwn) await Deno.remove(folder);
    },
  };
}

/** First four bytes of a file. */
async function head(file: string): Promise<number[]> {
  using opened = await Deno.open(file);
  const bytes = new Uint8Array(4);
  await opened.read(bytes);
  return [...bytes];
}

for (const [place, pathOf] of Object.entries(STABLE)) {
  Deno.test({
    name: `a disk of the host by its name in ${place} is the same one when the kernel's names were swapped`,
    ignore: skippedUnless(noLoop === undefined, noLoop ?? ""),
    fn: async (t) => {
      await using vm = await testMachine({ purpose: "swapped", guest: false });
      await using other = await testMachine({ purpose: "swapped-b", guest: false });
      await using here = await appHere();
      const { api } = here, vmId = vm.uuid, folder = filesOf(vm.name);
      for (const { uuid } of [vm, other]) await vmOf(here, uuid);
      await using first = await loopDevice(`${folder}/first.img`, 16);
      await using second = await loopDevice(`${folder}/second.img`, 16);
      await using name = await deviceLink(pathOf(vm.name), first.path);
      // As udev has for each disk: what is given by the kernel's name is stored by this
      await using others = await deviceLink(`/dev/disk/by-id/${other.name}`, second.path);
      const mark = async (machine: typeof vm, byte: number) => {
        await api.startVm({ vmId: machine.uuid });
        try {
          await write(machine, `write -P ${byte} 0 64k`);
        } finally {
          await api.forceStopVm({ vmId: machine.uuid });
        }
      };
      await api.attachDisk({ vmId, path: name.path, format: "raw" });
      await api.attachDisk({ vmId: other.uuid, path: second.path, format: "raw" });
      await mark(vm, 1);
      await mark(other, 2);
      assert.deepEqual([await head(first.file), await head(second.file)], [[1, 1, 1, 1], [2, 2, 2, 2]]);
      await swapLoopDevices(first, second);
      await name.leadsTo(second.path);
      await others.leadsTo(first.path);
      await t.step("its VM writes to what is its own", async () => {
        await mark(vm, 3);
        assert.deepEqual([await head(first.file), await head(second.file)], [[3, 3, 3, 3], [2, 2, 2, 2]]);
      });
      await t.step("so does one that was given its disk by the kernel's name", async () => {
        await mark(other, 4);
        assert.deepEqual([await head(first.file), await head(second.file)], [[3, 3, 3, 3], [4, 4, 4, 4]]);
      });
    },
  });
}

const [pci] = ignore ? [] : (await virsh("nodedev-list", "--cap", "pci")).split("\n").filter(Boolean);

Deno.test({
  name: "a PCI address that leads to another device since keeps the VM off, and says what to do",
  ignore: skippedUnless(pci !== undefined, "this host has no PCI devices"),
  fn: async () => {
    await using vm = await testMachine({ purpose: "other-pci", guest: false });
    await using here = await appHere();
    const { api, app } = here, vmId = vm.uuid, { local } = app.hosts;
    const [, domain, bus, slot, fn] = /^pci_(\w{4})_(\w\w)_(\w\w)_(\w)$/.exec(pci!)!;
    const file = `${filesOf(vm.name)}/device.xml`, at = `${domain}:${bus}:${slot}.${fn}`;
    await Deno.writeTextFile(
      file,
      `<hostdev mode='subsystem' type='pci' managed='no'><source><address domain='0x${domain}' bus='0x${bus}' ` +
        `slot='0x${slot}' function='0x${fn}'/></source></hostdev>`,
    );
    await virsh("attach-device", vm.name, file, "--config");
    const known = await vmOf(here, vmId);
    await rememberDevices(local, known);
    const metadata = () => virsh("metadata", vm.name, "urn:kvm-manager:host-devices:1");
    const xml = await virsh("nodedev-dumpxml", pci!);
    const [vendor, product] = ["vendor", "product"].map((each) =>
      new RegExp(`<${each} id='0x(\\w+)'`).exec(xml)![1]
    );
    assert.match(await metadata(), new RegExp(`at="${at}" model="${vendor}:${product}"`));
    await requireSameDevices(local, known);
    const other = (await metadata()).replace(/model="[^"]*"/, 'model="8086:ffff"').replace("\n", "");
    await virsh(
      "metadata",
      vm.name,
      "urn:kvm-manager:host-devices:1",
      "--key",
      "kvmm-devices",
      "--config",
      "--set",
      other,
    );
    await assert.rejects(api.startVm({ vmId }), {
      code: "HostDeviceChanged",
      message: new RegExp(
        `${at} of the host is another one by now: ${vendor}:${product}.*given 8086:ffff.*detach`,
      ),
    });
    // What KVM Manager keeps besides is another element
    await api.setTags({ vmId, tags: ["one"] });
    assert.match(await metadata(), /8086:ffff/);
    await api.detachHostDevice({ vmId, device: at });
    await api.startVm({ vmId });
    await api.forceStopVm({ vmId });
  },
});
