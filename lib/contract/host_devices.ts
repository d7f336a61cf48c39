/** Devices of the host – USB and PCI – and giving them to VMs. */
import Type, { type Static } from "typebox";
import type { ExtraPermission } from "./access_rules.ts";
import { command } from "./command.ts";
import { DeviceApplied, LiveAndPersistent } from "./devices.ts";
import { closed, NOTHING_IN, oneOf, SentenceText, VmId } from "./schema.ts";

export const HOST_DEVICE_KINDS = ["usb", "pci"] as const;
export type HostDeviceKind = typeof HOST_DEVICE_KINDS[number];

/** Classes of devices. */
export const HOST_DEVICE_CLASSES = [
  ...["gpu", "network", "wireless", "bluetooth", "storage", "sound", "video", "camera", "input", "printer"],
  "serial",
  "smart-card",
  "usb-controller",
  "accelerator",
  "encryption",
  "hub",
  "bridge",
  "memory",
  "other",
] as const;
export type HostDeviceClass = typeof HOST_DEVICE_CLASSES[number];

/** A VM that has a device of the host. */
export const HostDeviceUser = Type.Object({
  vmId: Type.String(),
  name: Type.String(),
  running: Type.Boolean({
    description: "it has the device now; false: in its definition, from its next start on",
  }),
});
export type HostDeviceUser = Static<typeof HostDeviceUser>;

export const HostDevice = Type.Object({
  device: Type.String({
    description:
      "as commands name it: 0781:5581 (USB; with @bus:device where several are alike), 0000:01:00.0 (PCI)",
  }),
  kind: oneOf(HOST_DEVICE_KINDS),
  name: Type.String({ description: "vendor and product, as far as the host knows them" }),
  class: oneOf(HOST_DEVICE_CLASSES),
  address: Type.String({ description: "bus:device of USB, domain:bus:slot.function of PCI" }),
  vendorId: Type.String({ description: "four hexadecimal digits" }),
  productId: Type.String({ description: "four hexadecimal digits" }),
  vendor: Type.Optional(Type.String()),
  product: Type.Optional(Type.String()),
  serial: Type.Optional(Type.String({ description: "serial number that a USB device tells" })),
  driver: Type.Optional(Type.String({ description: "the host's driver that has it now" })),
  provides: Type.Array(Type.String(), { description: "network devices and disks that the host has by it" }),
  iommuGroup: Type.Optional(Type.Integer()),
  groupMembers: Type.Array(Type.String(), {
    description: "other PCI devices of its IOMMU group: they are separated from the host only together",
  }),
  numaNode: Type.Optional(Type.Integer()),
  physicalFunction: Type.Optional(
    Type.String({ description: "the PCI device that it is a virtual function of (SR-IOV)" }),
  ),
  virtualFunctions: Type.Optional(Type.Integer({ description: "how many it has now (SR-IOV)" })),
  maxVirtualFunctions: Type.Optional(Type.Integer({ description: "how many it can have (SR-IOV)" })),
  usedBy: Type.Array(HostDeviceUser, { description: "VMs that have it, running or in their definition" }),
  refused: Type.Optional(Type.String({ description: "why it cannot be given to a VM, as a sentence" })),
  caution: Type.Optional(
    Type.String({
      description:
        "what the host uses it for, and loses while a VM has it: it is given away only with allowHostUse",
    }),
  ),
});
export type HostDevice = Static<typeof HostDevice>;

/** How attach and detach name a device. */
const Device = Type.String({
  minLength: 4,
  maxLength: 32,
  pattern: "^[0-9A-Fa-f:.@]+$",
  description:
    "vendor:product of USB (0781:5581, 0781:5581@2:5 with bus:device), address of PCI (0000:01:00.0)",
});

/** A VM's administrator may not reach the host by its hardware. */
const HOST: ExtraPermission[] = [{ permission: "host.administer" }];

export const hostDeviceCommands = {
  get_host_devices: command({
    summary: "List the host's USB and PCI devices, and which VMs have them",
    description:
      "With what hinders giving one to a VM. Without hubs; bridges are listed with the reason why they stay with the host.",
    role: "administrator",
    permission: "host.administer",
    input: NOTHING_IN,
    output: Type.Object({
      iommu: Type.Boolean({
        description: "the host has an IOMMU that is on: PCI devices can be given to VMs",
      }),
      devices: Type.Array(HostDevice),
    }),
    errors: [],
    route: "GET /host-devices",
    cli: ["host", "devices"],
    examples: ["kvm-manager host devices", "kvm-manager host devices --output json"],
    rows: "devices",
    columns: ["device", "kind", "class", "name", "usedBy", "refused"],
    wide: ["driver", "iommuGroup", "groupMembers", "provides", "serial", "caution"],
    readOnly: true,
  }),
  attach_host_device: command({
    summary: "Give a USB or PCI device of the host to a VM",
    description:
      "At once where the VM runs and can take it, and at each start. A VM starts without a USB device that is unplugged. A " +
      "PCI device needs an IOMMU that is on. What the host cannot do without – its disks, the network card of its default " +
      "route – is refused.",
    role: "administrator",
    alsoNeeds: HOST,
    input: closed({
      vmId: VmId,
      device: Device,
      allowHostUse: Type.Optional(Type.Boolean({
        default: false,
        description: "although the host uses it: the screen of its console, a network device that is up",
      })),
      ...LiveAndPersistent,
    }),
    output: Type.Object({
      ...DeviceApplied.properties,
      device: Type.String({ description: "as detach_host_device names it" }),
      name: Type.String({ description: "vendor and product, as far as the host knows them" }),
      notes: Type.Array(SentenceText(), { description: "what a person should know, one sentence each" }),
    }),
    errors: [
      "VmNotFound",
      "HasSavedMemory",
      "VmNotRunning",
      "VmNotPersistent",
      "NoUsbController",
      "HostDeviceNotFound",
      "HostDeviceAmbiguous",
      "HostDeviceRefused",
      "HostDeviceUsedByHost",
      "HostDeviceInUse",
      "HostDevicePresent",
      "NoIommu",
      "NoFreeSlot",
      "AttachFailed",
    ],
    route: "POST /vms/{vmId}/host-devices",
    cli: ["vm", "attach-host-device", "<vmId>", "<device>"],
    examples: [
      "kvm-manager vm attach-host-device web1 0781:5581",
      "kvm-manager vm attach-host-device web1 0000:01:00.0",
    ],
    mark: "change",
    readOnly: false,
  }),
  detach_host_device: command({
    summary: "Take a device of the host away from a VM",
    description:
      "The host has it again. A running guest is asked to release it; one that does not keeps it, also for its next start.",
    role: "administrator",
    alsoNeeds: HOST,
    input: closed({ vmId: VmId, device: Device, ...LiveAndPersistent }),
    output: DeviceApplied,
    errors: [
      "VmNotFound",
      "HasSavedMemory",
      "VmNotRunning",
      "VmNotPersistent",
      "NoSuchHostDevice",
      "HostDeviceAmbiguous",
      "DeviceNotReleased",
      "DetachFailed",
    ],
    route: "DELETE /vms/{vmId}/host-devices/{device}",
    cli: ["vm", "detach-host-device", "<vmId>", "<device>"],
    examples: ["kvm-manager vm detach-host-device web1 0781:5581"],
    mark: "change",
    readOnly: false,
  }),
};
