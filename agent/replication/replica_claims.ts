/** Locks on replicas: an increment that comes, a test that begins, a switch-over. One at a time. */
import { ContractError } from "../../lib/contract/mod.ts";
import { within } from "../within.ts";

/** Milliseconds that the end of what goes on is waited for: an increment is merged, a connection that was cut is seen to be. */
const WAIT_MS = 20_000;

type Claimed = { readonly id: string; readonly vmName: string };

export class ReplicaClaims {
  readonly #held = new Map<string, { readonly what: string; readonly over: Promise<void> }>();

  /** Holds a replica until disposed of. @param what the end of "web1 is … just now" @throws {ContractError} ReplicationBusy */
  take({ id, vmName: name }: Claimed, what: string): Disposable {
    const held = this.#held.get(id);
    if (held !== undefined) throw new ContractError("ReplicationBusy", { name, what: held.what });
    const { promise: over, resolve } = Promise.withResolvers<void>();
    this.#held.set(id, { what, over });
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#held.delete(id);
        resolve();
      },
    };
  }

  /** As {@link take}, but waits a bounded time for another claim to end. @throws {ContractError} ReplicationBusy */
  async taken(claimed: Claimed, what: string): Promise<Disposable> {
    const until = performance.now() + WAIT_MS;
    for (let held = this.#held.get(claimed.id); held !== undefined; held = this.#held.get(claimed.id)) {
      const left = until - performance.now();
      if (left <= 0) break;
      await within(left, held.over);
    }
    return this.take(claimed, what);
  }
}
