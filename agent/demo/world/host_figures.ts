/** Load figures that the kernels of the demo's hosts would report at a time. Pure. */
import { drift } from "./chance.ts";
import type { DemoHost } from "./hosts.ts";
import { hostLoadOf, simulatedLoad } from "./load.ts";
import { DEMO_VMS, type DemoVm } from "./vms.ts";

/** Loads; bytes a second; shares of a second; degrees Celsius. */
export interface HostFigures {
  readonly load: number;
  readonly read: number;
  readonly written: number;
  readonly received: number;
  readonly sent: number;
  readonly busy: number;
  readonly pressureCpu: number;
  readonly pressureIo: number;
  readonly temperature: number;
}

/** Bytes a second that keep a disk of a host busy. */
const BUSY_BYTES = 220 * 2 ** 20;

/** @param seconds since 1970 @param isRunning whether one of its VMs runs */
export function hostFiguresOf(
  host: DemoHost,
  seconds: number,
  isRunning: (vm: DemoVm) => boolean = ({ state }) => state === "running",
): HostFigures {
  const { cpu } = hostLoadOf(host, seconds, isRunning);
  const loads = DEMO_VMS.filter((vm) => vm.host === host.id && isRunning(vm)).map((vm) =>
    simulatedLoad(vm, seconds)
  );
  const sum = (of: "read" | "written" | "received" | "sent") =>
    loads.reduce((total, load) => total + load[of], 0);
  const read = sum("read"), written = sum("written") * 1.15;
  const busy = Math.min(0.97, (read + written) / BUSY_BYTES);
  return {
    load: cpu * host.threads * 1.08,
    read,
    written,
    // What VMs say to each other does not leave the host
    received: sum("received") * 0.7,
    sent: sum("sent") * 0.7,
    busy,
    pressureCpu: Math.max(0, cpu - 0.3) * 0.08,
    pressureIo: busy * 0.05,
    temperature: 38 + cpu * 45 + 2 * drift(`${host.id} air`, seconds, 7200),
  };
}
