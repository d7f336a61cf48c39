/** Questions of a host's other features to the agents in its guests. The feature of guests provides it. */
import type { GuestAddress } from "../../ffi/calls/mod.ts";
import type { VM } from "../../lib/contract/mod.ts";
import type { GuestReading } from "../../lib/guest/figures.ts";

/** Freezes guests by the agent that libvirt does not know of. */
export interface GuestFreezer {
  /** Whether ours freezes a guest: QEMU's cannot, or does not answer. */
  isOwn(vm: VM): Promise<boolean>;
  /** Freezes all its file systems. @throws {ContractError} */
  freeze(vm: VM, seconds: number): Promise<void>;
  /** Thaws them. @returns how many were frozen until now: none where the limit was over @throws {ContractError} */
  thaw(vm: VM): Promise<number>;
}

export interface HostGuests {
  /** Whether an agent in a guest answers, whichever it is. */
  answers(vmId: string): Promise<boolean>;
  /** Figures that a guest's agent told lately. */
  reading(vmId: string): GuestReading | undefined;
  /** Asks a guest to shut down, or to reboot, by the agent that libvirt does not know of; false where there is none. */
  ask(vm: VM, again: boolean): Promise<boolean>;
  /** Asks a guest for its addresses by the agent that libvirt does not know of. @throws {ContractError} */
  addresses(vm: VM): Promise<readonly GuestAddress[]>;
  readonly freezer: GuestFreezer;
}

/** A host on which no guest is asked. */
export const NO_GUESTS: HostGuests = {
  answers: () => Promise.resolve(false),
  reading: () => undefined,
  ask: () => Promise.resolve(false),
  addresses: () => Promise.resolve([]),
  freezer: {
    isOwn: () => Promise.resolve(false),
    freeze: () => Promise.reject(new Error("no guest agent can")),
    thaw: () => Promise.resolve(0),
  },
};
