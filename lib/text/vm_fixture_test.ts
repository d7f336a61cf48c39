/** A plain machine for tests: what a test does not care about has a value all the same. */
import type { VM } from "../contract/mod.ts";

/** A running machine with parts of it replaced. */
export function aVm(change: Partial<VM> = {}): VM {
  return {
    id: change.name ?? "vm",
    name: "vm",
    state: "running",
    responsive: true,
    cpuCount: 2,
    maxCpuCount: 2,
    memoryMb: 2048,
    maxMemoryMb: 2048,
    diskSizeGb: 10,
    networkInterfaces: [],
    disks: [],
    graphics: [],
    tags: [],
    autostart: false,
    persistent: true,
    guestAgent: "not configured",
    guestAgents: { "qemu-ga": "not configured", "kvm-manager-agent": "not configured" },
    firmware: "bios",
    virtType: "kvm",
    host: "lab",
    attention: [],
    ...change,
  };
}
