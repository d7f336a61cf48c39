/** Errors: hardware. */
import type { ErrorKind } from "./kind.ts";

export const HARDWARE_ERRORS = {
  CpuCountAboveMaximum: {
    text: "CPU count ({count}) is above the VM's maximum ({max}). Raise the maximum too: it applies at the " +
      "next boot.",
    status: 409,
    exit: 5,
  },
  MemoryAboveMaximum: {
    text:
      "Memory ({currentMb}MB) is above the VM's maximum ({maxMb}MB). Raise the maximum too: it applies at " +
      "the next boot.",
    status: 409,
    exit: 5,
  },
  TopologyMismatch: {
    text:
      "CPU topology has {sockets} sockets × {cores} cores × {threads} threads = {product} CPUs, but the " +
      "VM's maximum is {max}. Change one of them, or leave the topology to QEMU.",
    status: 409,
    exit: 5,
  },
  PinningMismatch: { text: "CPU pinning does not fit: {reason}", status: 409, exit: 5 },
  BootDeviceNotFound: { text: "VM has no device {device} to boot from", status: 404, exit: 4 },
  HardwareMismatch: { text: "The hardware does not fit together: {reason}", status: 409, exit: 5 },
} as const satisfies Record<string, ErrorKind>;
