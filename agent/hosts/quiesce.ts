/**
 * A guest that stands still for the moment of a copy: through QEMU's guest agent, which libvirt asks within its own call,
 * or through KVM Manager's, which is asked before and after it. Ours thaws by itself at its limit, whatever becomes of us.
 */
import type { VM } from "../../lib/contract/mod.ts";
import { messageOf } from "../../lib/text/message.ts";
import { log } from "../log.ts";
import type { LibvirtHost } from "./libvirt_host.ts";

/** Seconds a guest stands still at most while a copy begins. */
export const QUIESCE_SECONDS = 30;

/** Freezer of a guest: libvirt (through QEMU's agent), our own agent; "none" without an agent. */
export type Quiescing = "libvirt" | "own" | "none";

/** Finds who freezes a guest. */
export async function quiescingOf({ guests }: Pick<LibvirtHost, "guests">, vm: VM): Promise<Quiescing> {
  if (vm.guestAgent !== "connected") return "none";
  if (vm.guestAgents["kvm-manager-agent"] === "connected" && await guests.freezer.isOwn(vm)) return "own";
  return vm.guestAgents["qemu-ga"] === "connected" ? "libvirt" : "none";
}

/** Result of work on a guest that was frozen. */
export interface Quiesced<T> {
  readonly result: T;
  /** Why the guest did not stand still; undefined when it did, from the beginning to the end. */
  readonly not?: string;
}

/**
 * Does some work while our agent keeps a guest frozen, or without that if the guest cannot be frozen. The
 * guest is thawed in any case.
 *
 * @param refused returns the error to throw, before the work, if the guest cannot be frozen
 */
export async function withFrozenGuest<T>(
  { guests: { freezer } }: Pick<LibvirtHost, "guests">,
  vm: VM,
  work: () => Promise<T>,
  refused?: (reason: string) => Error,
): Promise<Quiesced<T>> {
  let not: string | undefined;
  await freezer.freeze(vm, QUIESCE_SECONDS).catch((error) => not = messageOf(error));
  let result: T;
  try {
    if (not !== undefined && refused !== undefined) throw refused(not);
    result = await work();
  } finally {
    // Also after a freeze that failed: a late agent may have carried it out.
    const still = await freezer.thaw(vm).catch((error) => {
      log.warn("a guest thaws by itself, at its limit", { vm: vm.name, seconds: QUIESCE_SECONDS, error });
      return undefined;
    });
    if (still === 0) not ??= `it stood still for ${QUIESCE_SECONDS} seconds, and the copy began later`;
  }
  return { result, ...(not !== undefined && { not }) };
}
