/**
 * Answers for the parts of a libvirt that its driver does not have. `serve --demo` has one for each of its
 * hosts.
 */
import type { LibvirtAddress } from "../../ffi/address.ts";
import type { CallArgs, CallName, CallResult } from "../../ffi/calls/mod.ts";
import type { HealthFinding, TopologyDevice } from "../../lib/contract/mod.ts";
import type { Reading } from "../../lib/metrics/metric_sampler.ts";
import type { LocalLoad } from "../machine/local.ts";
import type { ConsoleListener, ConsoleStream, ConsoleTarget } from "../../ffi/streams.ts";

/** Readings of a simulated machine, in the form of the kernel's for this one. */
export interface SimulatedMachine {
  load(): LocalLoad;
  /** Its counters, by the names of `agent/metrics/host_reading.ts`. */
  reading(): Reading;
  networkDevices(): TopologyDevice[];
  health(): HealthFinding[];
}

/** Answers as one libvirt does. */
export interface Simulation {
  /** The libvirt that it is built on. */
  readonly address: LibvirtAddress;
  /**
   * Answers a call, alone or with what libvirt answers.
   *
   * @param ask asks libvirt, with the arguments it is to get
   * @throws {LibvirtError}
   */
  call<N extends CallName>(
    name: N,
    args: CallArgs<N>,
    ask: (args: CallArgs<N>) => Promise<CallResult<N>>,
  ): Promise<CallResult<N>>;
  /** Opens a console or channel of a VM. @throws {LibvirtError} */
  openConsole(target: ConsoleTarget, listener: ConsoleListener): Promise<ConsoleStream>;
  /** The machine that it runs on. */
  readonly machine: SimulatedMachine;
  /** Path of the socket of a running VM's VNC server. */
  screenSocket(vmId: string): string;
}

/** The simulation of the libvirt at a URI; undefined where libvirt itself answers. */
export type SimulationOf = (uri: string) => Simulation | undefined;

/** No libvirt is simulated. */
export const NO_SIMULATION: SimulationOf = () => undefined;
