/** How work that goes to libvirt outside the worker pool passes the gate of its host: see `call_gate.ts`. */

/** Work under way, as the gate counts it. `returned` is called once, however late, unless everything is stopped before. */
export interface Pass {
  /** Its time limit is over: it hangs until it returns. */
  overdue(): void;
  /** @param answered whether libvirt answered, be it with an error */
  returned(answered: boolean): void;
}

/** Work on libvirt that is no call of the pool. */
export type GatedWork = "consoleOpen" | "channelOpen" | "streamAbort" | "transfer";

/** Admits work, or refuses it because what it is about does not respond. */
export interface Gate {
  /**
   * Waits for its turn.
   *
   * @param subject UUID of the VM; name of the pool for a transfer, where it is known
   * @throws {LibvirtError} kind `silent`, `busy` or `timeout`
   */
  enter(work: GatedWork, subject: string | undefined): Promise<Pass>;
}
