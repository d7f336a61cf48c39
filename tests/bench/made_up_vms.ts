/** Answers of libvirt's for VMs that are not there, in its form: no host here runs so many. */
import type { VM } from "../../lib/contract/mod.ts";

/** A VM with two disks and two cards, whose counters go on. */
export function madeUpFigures(vm: number, tick: number): Record<string, number | string> {
  const counted = (each: number) => (tick * (1000 + vm) + each) * 1000;
  const params: Record<string, number | string> = {
    "cpu.time": counted(1) * 1000,
    "cpu.user": counted(2),
    "cpu.system": counted(3),
    "balloon.current": 2_097_152,
    "balloon.maximum": 2_097_152,
    "balloon.rss": 2_000_000 + (vm + tick) % 997,
    "balloon.available": 2_000_000,
    "balloon.unused": 900_000 + (vm * tick) % 9973,
    "balloon.usable": 1_100_000,
    "vcpu.current": 2,
    "vcpu.maximum": 2,
    "block.count": 2,
    "net.count": 2,
  };
  for (const part of [0, 1]) {
    Object.assign(params, {
      [`vcpu.${part}.state`]: 1,
      [`vcpu.${part}.time`]: counted(4) * 1000,
      [`vcpu.${part}.delay`]: counted(5),
      [`block.${part}.name`]: `vd${"ab"[part]}`,
      [`net.${part}.name`]: `vnet${vm * 2 + part}`,
    });
    for (
      const name of [
        "rd.bytes",
        "rd.reqs",
        "rd.times",
        "wr.bytes",
        "wr.reqs",
        "wr.times",
        "allocation",
        "capacity",
        "physical",
      ]
    ) {
      params[`block.${part}.${name}`] = counted(6);
    }
    for (
      const name of ["rx.bytes", "rx.pkts", "rx.errs", "rx.drop", "tx.bytes", "tx.pkts", "tx.errs", "tx.drop"]
    ) {
      params[`net.${part}.${name}`] = counted(7);
    }
  }
  return params;
}

/** VMs as the inventory has them. */
export const madeUpVms = (ids: readonly string[]): VM[] =>
  ids.map((id, index) =>
    ({
      id,
      name: `vm-${index}`,
      state: "running",
      guestAgent: "connected",
      cpuCount: 2,
      networkInterfaces: [],
    }) as unknown as VM
  );

/** Statistics of the host itself that libvirt reports. */
export const MADE_UP_NODE = {
  cpu: { user: 1e9, kernel: 1e9, idle: 1e9, iowait: 0 },
  memory: { total: 64 << 20, free: 32 << 20 },
};
