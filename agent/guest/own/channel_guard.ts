/**
 * Keeps channels from being opened that QEMU does not accept. libvirt connects to QEMU's socket with the VM's lock held; the
 * socket's backlog is 1, so the third connection to a QEMU that hangs, or whose channel another program holds, waits without
 * an end, and everything that asks libvirt for its VMs with it. A connection that was closed still waits to be accepted.
 */
import { setTimeout as delay } from "node:timers/promises";
import { waitingConnections } from "../../../ffi/socket_backlog.ts";
import { log } from "../../log.ts";
import type { ByteStreams } from "./client.ts";
import { AgentFailure } from "./failure.ts";

/** Milliseconds after which a channel that may still wait is tried again by its socket, which never blocks. */
const AGAIN_MS = 20_000;

/**
 * How often a channel is tried again that another connection has, and the milliseconds between two tries: QEMU takes a
 * moment to let go of a connection that was closed, and another KVM Manager's look at the guest is short.
 */
const TRIES = 10, TRY_MS = 150;

export interface ChannelGuardOptions {
  /** The socket of a VM's channel; undefined where there is none on this host. @throws {Error} */
  readonly pathOf: (vmId: string) => Promise<string | undefined>;
  /** Connects to it; undefined where it is not to be reached from here. @throws {AgentFailure} */
  readonly openHere: (path: string, heard: () => void) => Promise<ByteStreams | undefined>;
  /** Has libvirt open it. @throws {AgentFailure} */
  readonly openByLibvirt: (vmId: string, heard: () => void) => Promise<ByteStreams>;
  /** When a VM was last found to respond again, by `performance.now()`; undefined: it always did. */
  readonly respondedAt: (vmId: string) => number | undefined;
}

export class ChannelGuard {
  /** When the channel of a VM was opened of which nothing was heard since. */
  readonly #unheard = new Map<string, number>();

  constructor(private readonly options: ChannelGuardOptions) {}

  /** Opens the channel of a running VM. @throws {AgentFailure} `taken`: QEMU does not accept it */
  async open(vmId: string): Promise<ByteStreams> {
    for (let left = TRIES;; left--) {
      try {
        return await this.#tryOpen(vmId);
      } catch (error) {
        if (!(error instanceof AgentFailure && error.reason === "taken") || left === 0) throw error;
        await delay(TRY_MS);
      }
    }
  }

  async #tryOpen(vmId: string): Promise<ByteStreams> {
    const { pathOf, openHere, openByLibvirt } = this.options;
    const path = await pathOf(vmId), heard = () => void this.#unheard.delete(vmId);
    const waiting = path === undefined ? undefined : waitingConnections(path);
    if (waiting !== undefined && waiting > 0) throw this.#taken(vmId, waiting);
    const mayWait = waiting === undefined && this.#mayWait(vmId);
    if (path !== undefined && (!mayWait || performance.now() - this.#unheard.get(vmId)! > AGAIN_MS)) {
      const streams = await openHere(path, heard);
      if (streams !== undefined) {
        this.#unheard.set(vmId, performance.now());
        return streams;
      }
    }
    if (mayWait) throw this.#taken(vmId);
    this.#unheard.set(vmId, performance.now());
    return await openByLibvirt(vmId, heard);
  }

  /** Another QEMU runs, or the guest has opened or closed its end. */
  forget(vmId: string): void {
    this.#unheard.delete(vmId);
  }

  /** Whether the last connection may not have been accepted yet, where the kernel does not tell. */
  #mayWait(vmId: string): boolean {
    const unheard = this.#unheard.get(vmId);
    return unheard !== undefined && (this.options.respondedAt(vmId) ?? -Infinity) < unheard;
  }

  #taken(vmId: string, waiting?: number): AgentFailure {
    log.debug("a channel is not opened", { vm: vmId, waiting });
    return new AgentFailure("taken", "QEMU has not accepted the last connection to the agent's channel");
  }
}
