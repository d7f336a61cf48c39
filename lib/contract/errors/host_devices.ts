/** Errors: devices of the host that VMs are given. */
import type { ErrorKind } from "./kind.ts";

export const HOST_DEVICE_ERRORS = {
  HostDeviceNotFound: {
    text: "The host has no device {device}. Plug it in, or choose another one of: kvm-manager host devices.",
    status: 404,
    exit: 4,
  },
  HostDeviceChanged: {
    text:
      "Device {device} of the host is another one by now: {now}, where the VM was given {was}. Look for that at " +
      "another address (kvm-manager host devices), detach {device} from the VM and attach the one that is meant.",
    status: 409,
    exit: 5,
  },
  NoSuchHostDevice: { text: "VM has no host device {device}", status: 404, exit: 4 },
  HostDeviceAmbiguous: {
    text: "Several devices are {device}. Name one of them: {names}",
    status: 409,
    exit: 5,
  },
  HostDeviceRefused: {
    text: "{device} cannot be given to a VM: {reason}. Choose another device.",
    status: 409,
    exit: 5,
  },
  HostDeviceUsedByHost: {
    text:
      "The host uses {device}: {reason}. It loses it while the VM has it. If it may, allow it (allowHostUse).",
    status: 409,
    exit: 5,
  },
  HostDeviceInUse: {
    text: "{device} is in use by the VM {vm}. Detach it there or shut that VM down first.",
    status: 409,
    exit: 5,
  },
  HostDevicePresent: { text: "The VM has the host device {device} already", status: 409, exit: 5 },
  NoIommu: {
    text:
      "The host has no IOMMU that is on, without which no PCI device can be given to a VM. Turn on VT-d (Intel) or " +
      "AMD-Vi in its firmware, add intel_iommu=on to the kernel's command line on Intel, and restart it.",
    status: 409,
    exit: 5,
  },
} as const satisfies Record<string, ErrorKind>;
