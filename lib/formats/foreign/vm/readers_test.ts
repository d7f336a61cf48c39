import assert from "node:assert/strict";
import { hyperVm, usualGeneration } from "./hyperv.ts";
import { readLibvirt } from "./libvirt.ts";
import { fileNameOf, ForeignVmError, MOST_DEFINITION, type SourceVm } from "./model.ts";
import { readProxmox } from "./proxmox.ts";
import { PROXMOX, VMX_ESXI, VMX_WORKSTATION } from "./testing.ts";
import { readVmx } from "./vmx.ts";

const vmx = (text: string) => readVmx(new TextEncoder().encode(text));
const MINIMAL = 'config.version = "8"\n';
const codes = ({ warnings }: SourceVm) =>
  warnings.map(({ field, code }) => field === "" ? code : `${field} ${code}`);

Deno.test("readVmx() reads a VM of ESXi: firmware, TPM, disks in their order, network interfaces", () => {
  const vm = vmx(VMX_ESXI);
  assert.deepEqual(
    [
      vm.name,
      vm.description,
      vm.osType,
      vm.cpuCount,
      vm.coresPerSocket,
      vm.memoryMb,
      vm.firmware,
      vm.tpm,
      vm.machine,
    ],
    ['web "one"', "first line\nsecond line", "windows", 4, 2, 4096, "uefi-secure", true, undefined],
  );
  assert.deepEqual(vm.disks.map(({ file, bus, was }) => [file, bus, was]), [
    ["web.vmdk", "sata", "scsi0:0 (lsisas1068)"],
    ["data.vmdk", "sata", "nvme0:0"],
  ]);
  assert.deepEqual(vm.nics.map(({ network, model, mac, linkUp }) => [network, model, mac, linkUp]), [
    ["VM Network", "e1000e", "00:50:56:9a:00:01", undefined],
    ["Storage", "e1000e", "00:50:56:00:00:02", false],
  ]);
  assert.deepEqual(codes(vm), [
    "disks.0 ControllerReplaced",
    "disks.1 DiskElsewhere",
    "disks.1 ControllerReplaced",
    "CdDropped",
    "nics.0 NicReplaced",
    "FirmwareState",
    "TpmState",
  ]);
});

Deno.test("readVmx() reads an old Workstation's file in its encoding, with other letters in the keys", () => {
  const vm = readVmx(VMX_WORKSTATION);
  assert.deepEqual([vm.name, vm.osType, vm.firmware, vm.machine], ["Büro", "windows", "bios", undefined]);
  assert.deepEqual(vm.disks.map(({ file, bus }) => [file, bus]), [["alt.vmdk", "ide"]]);
  // Windows XP has no driver for an e1000e.
  assert.deepEqual(vm.nics.map(({ network, model }) => [network, model]), [["NAT", "rtl8139"]]);
});

Deno.test("readVmx() gives virtio at once to guests whose start image has it, and SATA to others", () => {
  const busOf = (guest: string) => {
    const vm = vmx(
      `${MINIMAL}guestOS = "${guest}"\nscsi0.present = "TRUE"\nscsi0.virtualDev = "pvscsi"\n` +
        'scsi0:0.present = "TRUE"\nscsi0:0.fileName = "a.vmdk"\nethernet0.present = "TRUE"\n' +
        'ethernet0.virtualDev = "vmxnet3"\n',
    );
    return [vm.disks[0]!.bus, vm.nics[0]!.model, codes(vm).some((code) => code.endsWith("RebuildInitramfs"))];
  };
  assert.deepEqual(busOf("ubuntu-64"), ["virtio", "virtio", false]);
  assert.deepEqual(busOf("debian12-64"), ["virtio", "virtio", false]);
  assert.deepEqual(busOf("debian7-64"), ["sata", "vmxnet3", false]);
  assert.deepEqual(busOf("rhel8-64"), ["sata", "vmxnet3", true]);
  assert.deepEqual(busOf("windows9-64"), ["sata", "e1000e", false]);
  assert.deepEqual(busOf("freebsd13-64"), ["sata", "e1000e", false]);
  assert.deepEqual(busOf(""), ["sata", "e1000e", false]);
});

Deno.test("readVmx() boots first from the disk that bios.hddOrder names", () => {
  const scsi = (unit: number) => `scsi0:${unit}.present = "TRUE"\nscsi0:${unit}.fileName = "${unit}.vmdk"\n`;
  const text = `${MINIMAL}scsi0.present = "TRUE"\n${scsi(0)}${scsi(1)}bios.hddOrder = "scsi0:1"\n`;
  assert.deepEqual(vmx(text).disks.map(({ file }) => file), ["1.vmdk", "0.vmdk"]);
});

Deno.test("readVmx() refuses what is no such file, what contradicts itself, and what is beyond bounds", () => {
  const refused = (text: string, why: RegExp) =>
    assert.throws(
      () => vmx(text),
      (error) => error instanceof ForeignVmError && why.test(error.message),
      text.slice(0, 60),
    );
  refused("", /config\.version/);
  refused("hello there", /line 1/);
  refused(`${MINIMAL}\0`, /no text/);
  refused(`${MINIMAL}memsize = "64"\nMemSize = "128"\n`, /twice/);
  refused(`${MINIMAL}memsize = "99999999999"\n`, /memory/);
  refused(`${MINIMAL}numvcpus = "-1"\n`, /CPUs/);
  refused(`${MINIMAL}encryption.data = "x"\n`, /encrypted/);
  refused(`.encoding = "no-such-encoding"\n${MINIMAL}`, /encoding/);
  refused("a".repeat(MOST_DEFINITION + 1), /too long/);
  const nics = Array.from({ length: 17 }, (_, at) => `ethernet${at}.present = "TRUE"\n`).join("");
  refused(MINIMAL + nics, /16 network interfaces/);
});

Deno.test("No reader lets a disk's name lead out of the folder", () => {
  for (
    const [path, name] of [
      ["../../etc/shadow", "shadow"],
      ["/etc/shadow", "shadow"],
      ["[datastore1] web/web.vmdk", "web.vmdk"],
      ["..\\web.vmdk", "web.vmdk"],
      ["..", undefined],
      ["web/", undefined],
      [".", undefined],
      ["a\nb", undefined],
      ["a\0b", undefined],
      ["", undefined],
      ["x".repeat(256), undefined],
    ] as const
  ) assert.equal(fileNameOf(path), name, path);
  const vm = vmx(
    `${MINIMAL}ide0:0.present = "TRUE"\nide0:0.fileName = "../../../etc/shadow"\n` +
      'ide0:1.present = "TRUE"\nide0:1.fileName = ".."\n',
  );
  assert.deepEqual(vm.disks.map(({ file }) => file), ["shadow"]);
  assert.deepEqual(codes(vm), ["disks.0 DiskElsewhere", "DiskNoFile"]);
  const conf = readProxmox("scsi0: local:../../etc/shadow\nvirtio0: /dev/sda\nide0: local:..\n");
  assert.deepEqual(conf.disks.map(({ file }) => file), ["sda", "shadow"]);
});

Deno.test("readProxmox() reads the present state, its notes, and says what stands behind it", () => {
  const vm = readProxmox(PROXMOX);
  assert.deepEqual(
    [
      vm.name,
      vm.description,
      vm.osType,
      vm.cpuCount,
      vm.coresPerSocket,
      vm.memoryMb,
      vm.firmware,
      vm.tpm,
      vm.machine,
    ],
    ["web", "Notes of über\nsecond line", "linux", 4, 2, 4096, "uefi-secure", true, undefined],
  );
  assert.deepEqual(
    vm.disks.map(({ file, format, capacityBytes, bus }) => [file, format, capacityBytes, bus]),
    [
      ["vm-100-disk-1.qcow2", "qcow2", 32 * 2 ** 30, "scsi"],
      ["vm-100-disk-2", undefined, 8 * 2 ** 30, "scsi"],
    ],
  );
  assert.deepEqual(
    vm.nics.map(({ network, model, mac, vlan, linkUp }) => [network, model, mac, vlan, linkUp]),
    [
      ["vmbr0", "virtio", "bc:24:11:aa:bb:01", 20, undefined],
      ["vmbr1", "e1000", "bc:24:11:aa:bb:02", undefined, false],
    ],
  );
  assert.deepEqual(codes(vm), [
    "CdDropped",
    "DeviceDropped",
    "FirmwareState",
    "TpmState",
    "Snapshots",
    "Pending",
  ]);
  assert.match(vm.warnings.at(-1)!.message, /memory, delete net1/);
});

Deno.test("readProxmox() takes Proxmox's own defaults, old boot orders and other controllers", () => {
  const vm = readProxmox("bootdisk: ide1\nide1: local:1/a.raw\nscsi0: x:b\nostype: win7\n");
  assert.deepEqual([vm.cpuCount, vm.memoryMb, vm.firmware, vm.machine, vm.osType], [
    1,
    512,
    "bios",
    "pc",
    "windows",
  ]);
  assert.deepEqual(vm.disks.map(({ file, bus }) => [file, bus]), [["a.raw", "ide"], ["b", "sata"]]);
  assert.deepEqual(codes(vm), ["disks.1 ControllerReplaced"]);
  assert.equal(readProxmox("memory: current=2048\n").memoryMb, 2048);
  assert.throws(() => readProxmox("hello"), ForeignVmError);
  assert.throws(() => readProxmox("memory: 1e9\n"), ForeignVmError);
  assert.throws(() => readProxmox("sockets: 64\ncores: 64\n"), ForeignVmError);
  assert.throws(() => readProxmox("net0: virtio=BC:24:11:AA:BB:01,tag=5000\n"), /VLAN/);
});

Deno.test("hyperVm() gives each generation its board and the disks that its guest boots from", () => {
  const old = hyperVm({ name: "a", generation: 1, osType: "windows", files: ["a.vhd", "b.vhd"] });
  assert.deepEqual([old.firmware, old.machine, old.disks.map(({ bus }) => bus)], ["bios", undefined, [
    "ide",
    "ide",
  ]]);
  const now = hyperVm({ name: "a", generation: 2, osType: undefined, files: ["a.vhdx"] });
  assert.deepEqual([now.firmware, now.machine, now.disks[0]!.bus], ["uefi-secure", undefined, "sata"]);
  assert.deepEqual([usualGeneration(["a.vhd"]), usualGeneration(["a.vhdx"])], [1, 2]);
});

Deno.test("readLibvirt() keeps disks and network interfaces as they are, and says what stays behind", () => {
  const vm = readLibvirt(`<domain type='kvm'><name>web</name><description>of a &amp; b</description>
    <memory unit='KiB'>1048576</memory><vcpu>2</vcpu>
    <os firmware='efi'><type arch='x86_64' machine='pc-q35-7.2'>hvm</type><loader secure='yes'/></os>
    <devices>
    <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/var/lib/libvirt/images/web.qcow2'/>
      <target dev='vda' bus='virtio'/></disk>
    <disk type='network' device='disk'><source protocol='rbd' name='a/b'/><target dev='vdb' bus='virtio'/></disk>
    <disk type='file' device='cdrom'><target dev='sda' bus='sata'/></disk>
    <interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/><vlan><tag id='7'/></vlan>
      <model type='virtio'/></interface>
    <hostdev mode='subsystem' type='pci'/>
    <tpm model='tpm-crb'/>
    </devices></domain>`);
  assert.deepEqual(
    [vm.name, vm.description, vm.cpuCount, vm.memoryMb, vm.firmware, vm.tpm, vm.machine],
    ["web", "of a & b", 2, 1024, "uefi-secure", true, undefined],
  );
  assert.deepEqual(vm.disks.map(({ file, format, bus }) => [file, format, bus]), [
    ["/var/lib/libvirt/images/web.qcow2", "qcow2", "virtio"],
  ]);
  assert.deepEqual(vm.nics.map(({ network, model, vlan }) => [network, model, vlan]), [["br0", "virtio", 7]]);
  assert.deepEqual(codes(vm), ["DiskNoFile", "CdDropped", "DeviceDropped", "FirmwareState", "TpmState"]);
  assert.throws(() => readLibvirt("<domain><name>"), ForeignVmError);
});

Deno.test("readProxmox() takes a drive once that the boot order names twice", () => {
  const { disks } = readProxmox("boot: order=ide0;ide0;ide0\nide0: local:a.qcow2\nide1: local:b.qcow2\n");
  assert.deepEqual(disks.map(({ file }) => file), ["a.qcow2", "b.qcow2"]);
});

Deno.test("Readers take no longer for the worst line of the longest definition than for another", () => {
  const blanks = " ".repeat(MOST_DEFINITION - 100), marks = "#".repeat(MOST_DEFINITION - 100);
  const worst: readonly (readonly [string, (text: string) => unknown])[] = [
    [`a =${blanks}x y`, vmx],
    [`a = "b"${blanks}x`, vmx],
    [`${blanks}a b`, vmx],
    [`a = b${marks}\u2028"`, vmx],
    [`memory: a${blanks}b`, readProxmox],
    [`memory:${blanks}b`, readProxmox],
    [`boot: order=${"ide0;".repeat(MOST_DEFINITION / 5 - 100)}\nide0: local:a.qcow2`, readProxmox],
  ];
  for (const [text, read] of worst) {
    const began = performance.now();
    try {
      read(text);
    } catch (error) {
      assert.ok(error instanceof ForeignVmError, String(error));
    }
    const tookMs = performance.now() - began;
    assert.ok(tookMs < 2000, `${Math.round(tookMs)} ms for ${JSON.stringify(text.slice(0, 20))}`);
  }
});
