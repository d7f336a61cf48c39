import assert from "node:assert/strict";
import { hasIommu, listedDevices } from "../../host_devices/list.ts";
import { type NodeDevice, readNodeDevice } from "./node_device.ts";

/** As libvirt's documentation has it. */
const VF = `<device><name>pci_0000_02_10_7</name>
  <path>/sys/devices/pci0000:00/0000:00:04.0/0000:02:10.7</path><parent>pci_0000_00_04_0</parent>
  <driver><name>igbvf</name></driver>
  <capability type='pci'><class>0x020000</class><domain>0</domain><bus>2</bus><slot>16</slot><function>7</function>
    <product id='0x10ca'>82576 Virtual Function</product><vendor id='0x8086'>Intel Corporation</vendor>
    <capability type='phys_function'><address domain='0x0000' bus='0x02' slot='0x00' function='0x1'/></capability>
    <iommuGroup number='16'><address domain='0x0000' bus='0x02' slot='0x10' function='0x7'/>
      <address domain='0x0000' bus='0x02' slot='0x11' function='0x0'/></iommuGroup>
    <numa node='0'/></capability></device>`;
const STICK = `<device><name>usb_2_4</name><path>/sys/devices/pci0000:00/0000:00:14.0/usb2/2-4</path>
  <parent>usb_usb2</parent><driver><name>usb</name></driver>
  <capability type='usb_device'><bus>2</bus><device>5</device><product id='0x5581'>Ultra</product>
    <vendor id='0x0781'>SanDisk Corp.</vendor></capability></device>`;
const read = (xml: string): NodeDevice => readNodeDevice(xml)!;

Deno.test("readNodeDevice() reads a virtual function and its IOMMU group", () => {
  const { capability, driver } = read(VF);
  assert.equal(driver, "igbvf");
  assert.ok(capability.kind === "pci");
  assert.equal(capability.address, "0000:02:10.7");
  assert.equal(capability.physicalFunction, "0000:02:00.1");
  assert.deepEqual(capability.iommuGroup, { number: 16, members: ["0000:02:11.0"] });
});

Deno.test("listedDevices() names a stick, its users and what the host needs", () => {
  const uses = [{ path: "/sys/devices/pci0000:00/0000:00:14.0/usb2/2-4/x", reason: "r", isVital: true }];
  const ref = { kind: "usb", model: "0781:5581", place: undefined } as const;
  const taken = [{ ref, vmId: "u", name: "web1", running: true }];
  const all = [read(VF), read(STICK)];
  const [stick] = listedDevices(all, { uses, taken, serials: new Map() });
  assert.equal(stick!.device, "0781:5581");
  assert.equal(stick!.name, "SanDisk Corp. Ultra");
  assert.equal(stick!.usedBy[0]!.name, "web1");
  assert.match(stick!.refused!, /needs it: r/);
  assert.ok(hasIommu(all));
});
