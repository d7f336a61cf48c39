/** Devices of the host and VMs: virsh and the kernel's sysfs are the witnesses. */
import assert from "node:assert/strict";
import { readNodeDevice } from "../../lib/formats/xml/node_device.ts";
import { virsh } from "../testbed/libvirt.ts";
import { type TestMachine, testMachine } from "../testbed/machine.ts";
import { personWith } from "../testbed/people.ts";
import { call, known, readyServer, refused } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { skippedUnless } from "../testbed/skipped_unless.ts";

const ignore = await requirement("qemu") !== null;

/** Devices that no host has: the vendor's number is not assigned, and no such bus is made here. */
const NO_USB = "fffe:fffd", NO_PCI = "0000:fe:1f.7";

/** Parsed host devices that virsh lists with a capability. */
async function listed(capability: "pci" | "usb_device") {
  const names = (await virsh("nodedev-list", "--cap", capability)).split("\n").filter(Boolean);
  const read = await Promise.all(
    names.map(async (name) => readNodeDevice(await virsh("nodedev-dumpxml", name))),
  );
  return read.flatMap((each) => each?.capability ?? []);
}

/** USB devices but hubs: what a VM can be given here without an IOMMU. */
async function sticks(): Promise<string[]> {
  return (await listed("usb_device")).flatMap((is) =>
    is.kind === "usb" && is.vendorId !== "1d6b"
      ? [`${is.vendorId}:${is.productId}@${is.bus}:${is.device}`]
      : []
  );
}

/** Has virsh store a `<hostdev>`, as somebody does who uses it: libvirt asks for the device at the start alone. */
async function store(vm: TestMachine, type: "usb" | "pci", source: string): Promise<void> {
  const file = await Deno.makeTempFile({ suffix: ".xml" });
  try {
    await Deno.writeTextFile(
      file,
      `<hostdev mode='subsystem' type='${type}' managed='yes'>${source}</hostdev>`,
    );
    await virsh("attach-device", vm.name, file, "--config");
  } finally {
    await Deno.remove(file);
  }
}

const storeUsb = (vm: TestMachine) =>
  store(
    vm,
    "usb",
    "<source startupPolicy='optional'><vendor id='0xfffe'/><product id='0xfffd'/></source>",
  );
const storePci = (vm: TestMachine) =>
  store(vm, "pci", "<source><address domain='0x0000' bus='0xfe' slot='0x1f' function='0x7'/></source>");

Deno.test({
  name: "get_host_devices() lists what virsh does",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    const { iommu, devices } = await call(server, "get_host_devices");
    const pci = devices.filter(({ kind }) => kind === "pci").map(({ address }) => address);
    const expected = (await listed("pci")).flatMap((is) => is.kind === "pci" ? [is.address] : []);
    assert.ok(expected.length > 0, "this host has PCI devices");
    assert.deepEqual(pci, expected.sort());
    const usb = devices.filter(({ kind }) => kind === "usb");
    assert.ok(usb.length <= (await sticks()).length);
    const groups = await Array.fromAsync(Deno.readDir("/sys/kernel/iommu_groups")).catch(() => []);
    assert.equal(iommu, groups.length > 0);
    const operator = await personWith(server, "operator", [{ role: "operator", on: { kind: "everything" } }]);
    await refused(operator.call("get_host_devices"), "Forbidden");
  },
});

Deno.test({
  name: "attach_host_device() refuses what the host needs, has not, or cannot give",
  ignore,
  fn: async (t) => {
    await using vm = await testMachine({ purpose: "hostdev-no", guest: false });
    await using server = await readyServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    const before = await vm.xml();
    const { iommu, devices } = await call(server, "get_host_devices");
    const attach = (device: string) => call(server, "attach_host_device", { vmId, device });
    await t.step("a device that the host has not", async () => {
      for (const device of [NO_USB, `${NO_USB}@9:9`, NO_PCI, NO_PCI.slice(5)]) {
        await refused(
          attach(device),
          "HostDeviceNotFound",
          new RegExp(`The host has no device ${device}\\.`),
        );
      }
    });
    await t.step("names that are none", async () => {
      for (const device of ["0781", "0781:5581@", "0000:01:00", "0000:01:00.8", "@@@@", "0781:5581@1"]) {
        await refused(attach(device), "InvalidInput", /device/);
      }
      for (const device of ["", "<a/>", "../../sda", `${NO_USB}' x='`]) {
        await refused(server.call("attach_host_device", { vmId, device }), "InvalidInput", /device/);
      }
    });
    const routes = (await Deno.readTextFile("/proc/net/route")).split("\n").map((line) => line.split("\t"));
    const uplink = routes.find(([, to]) => to === "00000000")?.[0];
    const card = devices.find(({ kind, provides }) => kind === "pci" && provides.includes(uplink ?? ""));
    await t.step({
      name: "the network card of the host's default route",
      ignore: skippedUnless(card !== undefined, "no PCI network card has this host's default route"),
      fn: () => refused(attach(card!.device), "HostDeviceRefused", /default route leads through it/),
    });
    const mounted = (await Deno.readTextFile("/proc/self/mountinfo")).split("\n")
      .flatMap((line) => / - \S+ \/dev\/(\w+) /.exec(line)?.[1] ?? []);
    const disk = devices.find(({ kind, provides }) =>
      kind === "pci" && provides.some((each) => mounted.some((name) => name.startsWith(each)))
    );
    await t.step({
      name: "the controller of a disk that is mounted",
      ignore: skippedUnless(disk !== undefined, "no disk on a PCI controller is mounted on this host"),
      fn: () => refused(attach(disk!.device), "HostDeviceRefused", /the host needs it: the file system/),
    });
    const spare = devices.find(({ kind, refused, caution }) => kind === "pci" && !refused && !caution);
    await t.step({
      name: "any PCI device while there is no IOMMU",
      ignore: skippedUnless(!iommu && spare !== undefined, "this host has an IOMMU, or no spare PCI device"),
      fn: () => refused(attach(spare!.device), "NoIommu", /no IOMMU that is on.*VT-d/),
    });
    await t.step("who operates VMs, whatever the device", async () => {
      const operator = await personWith(server, "operator", [{
        role: "operator",
        on: { kind: "everything" },
      }]);
      const ofOne = await personWith(server, "of-one", [{
        role: "administrator",
        on: { kind: "vm", vmId },
      }]);
      for (const person of [operator, ofOne]) {
        await refused(person.call("attach_host_device", { vmId, device: NO_USB }), "Forbidden");
        await refused(person.call("detach_host_device", { vmId, device: NO_USB }), "Forbidden");
      }
    });
    assert.equal(await vm.xml(), before);
  },
});

Deno.test({
  name:
    "get_vm_devices() shows host devices that virsh stored, detach_host_device() removes them, clones have none",
  ignore,
  fn: async (t) => {
    await using vm = await testMachine({ purpose: "hostdev", guest: false });
    await using server = await readyServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    await storeUsb(vm);
    await storePci(vm);
    const shown = async () =>
      (await call(server, "get_vm_devices", { vmId })).hostDevices.map(({ device, kind, plugged, place }) => [
        device,
        kind,
        plugged,
        place,
      ]);
    assert.deepEqual(await shown(), [
      [NO_USB, "usb", false, "both"],
      [NO_PCI, "pci", false, "both"],
    ]);
    await t.step("a clone leaves them with the original", async () => {
      const name = `${vm.name}-copy`;
      const copy = await call(server, "clone_vm", { vmId, name });
      try {
        assert.doesNotMatch(await virsh("dumpxml", name), /<hostdev/);
      } finally {
        await call(server, "delete_vm", { vmId: copy.vmId, deleteDisks: true });
      }
      assert.equal((await shown()).length, 2);
    });
    await t.step("one that is not there is detached; the other stays", async () => {
      await refused(
        call(server, "detach_host_device", { vmId, device: "fffe:fffc" }),
        "NoSuchHostDevice",
        "VM has no host device fffe:fffc",
      );
      const done = await call(server, "detach_host_device", { vmId, device: NO_PCI });
      assert.deepEqual(done, { live: false, persistent: true });
      assert.doesNotMatch(await vm.xml(), /<hostdev[^>]*type='pci'/);
      assert.match(await vm.xml(), /<hostdev[^>]*type='usb'/);
    });
    await t.step("of a VM that runs, one that is there from its next start on", async () => {
      const off = await call(server, "detach_host_device", { vmId, device: NO_USB.toUpperCase() });
      assert.deepEqual(off, { live: false, persistent: true });
      await call(server, "start_vm", { vmId });
      await storeUsb(vm);
      assert.deepEqual(await shown(), [[NO_USB, "usb", false, "next"]]);
      const input = { vmId, device: NO_USB };
      await refused(call(server, "detach_host_device", { ...input, persistent: false }), "NoSuchHostDevice");
      assert.deepEqual(await call(server, "detach_host_device", input), { live: false, persistent: true });
      assert.doesNotMatch(await vm.xml("--inactive"), /<hostdev/);
      assert.deepEqual(await shown(), []);
    });
  },
});

const [stick] = ignore ? [] : await sticks();

Deno.test({
  name: "attach_host_device() gives a VM a USB device of this host",
  ignore: ignore || skippedUnless(stick !== undefined, "this host has no USB device to give to a VM"),
  fn: async () => {
    await using vm = await testMachine({ purpose: "hostdev-usb", guest: false });
    await using server = await readyServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    const done = await call(server, "attach_host_device", { vmId, device: stick!, allowHostUse: true });
    assert.deepEqual([done.live, done.persistent], [false, true]);
    const [model = ""] = stick!.split("@"), [vendor, product] = model.split(":");
    assert.match(await vm.xml(), new RegExp(`<vendor id='0x${vendor}'/>\\s*<product id='0x${product}'/>`));
    const [shown] = (await call(server, "get_vm_devices", { vmId })).hostDevices;
    assert.deepEqual([shown?.device, shown?.plugged], [done.device, true]);
    await refused(
      call(server, "attach_host_device", { vmId, device: stick!, allowHostUse: true }),
      "HostDevicePresent",
    );
    await call(server, "detach_host_device", { vmId, device: done.device });
    assert.doesNotMatch(await vm.xml(), /<hostdev/);
  },
});
