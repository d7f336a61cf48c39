/**
 * Keeps libvirt from opening a channel that QEMU does not accept. libvirt connects to QEMU's socket with the VM's lock held;
 * the socket's backlog is 1, so the third connection to a QEMU that hangs, or whose channel another program holds, waits
 * without an end, and everything that asks libvirt for its VMs with it.
 */
import { waitingConnections } from "../../../ffi/socket_backlog.ts";
import { log } from "../../log.ts";
import { AgentFailure } from "./failure.ts";

export interface ChannelGuardOptions {
  /** The socket of a VM's channel on this host; undefined where there is none. @throws {Error} */
  readonly pathOf: (vmId: string) => Promise<string | undefined>;
  /** When a VM was last found to respond again, in milliseconds of the monotonic clock; undefined: it never did not. */
  readonly respondedAt: (vmId: string) => number | undefined;
  readonly now: () => number;
}

export class ChannelGuard {
  /** When the channel of a VM was opened of which nothing was heard since: that connection may still wait. */
  readonly #unheard = new Map<string, number>();

  constructor(private readonly options: ChannelGuardOptions) {}

  /** Notes that a channel is about to be opened. @throws {AgentFailure} `taken`: QEMU does not accept it */
  async enter(vmId: string): Promise<void> {
    const { pathOf, respondedAt, now } = this.options;
    const path = await pathOf(vmId);
    const waiting = path === undefined ? undefined : waitingConnections(path);
    const unheard = this.#unheard.get(vmId);
    // Where the kernel does not tell, one that was not heard is taken to wait until the VM has answered libvirt again
    const isFree = waiting === undefined
      ? unheard === undefined || (respondedAt(vmId) ?? -Infinity) > unheard
      : waiting === 0;
    if (!isFree) {
      log.debug("a channel is not opened", { vm: vmId, waiting });
      throw new AgentFailure("taken", "QEMU has not accepted the last connection to the agent's channel");
    }
    this.#unheard.set(vmId, now());
  }

  /** Something came through the channel. */
  heard(vmId: string): void {
    this.#unheard.delete(vmId);
  }

  /** Another QEMU runs, or the guest has opened or closed its end. */
  forget(vmId: string): void {
    this.#unheard.delete(vmId);
  }
}
