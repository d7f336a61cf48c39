/**
 * Locks in a store that knows none: a file for each who has it, with the time until which it holds, made again while it is
 * held. Who takes one writes his own first, and looks for others then: of two at once at most one goes on. What a process
 * that ended has left does not count for the same target, and for others until its time is over by every clock. Who could
 * not make his again in time has lost it, also where it was not taken since.
 */
import Type from "typebox";
import { checker } from "../../../lib/typebox/compile.ts";
import type { Clock } from "../../clock.ts";
import { log } from "../../log.ts";
import type { BackupStore, LockName, StoreLock } from "./store.ts";

/** Milliseconds that a lock holds, and after which it is made again. */
const HOLDS_MS = 15 * 60_000, RENEW_MS = 4 * 60_000;
/** Milliseconds that clocks may differ: what is over by less may hold still; what claims to hold by more counts no longer. */
const SKEW_MS = 45 * 60_000;
/** Bytes of a lock's file. */
const MOST_BYTES = 1000;

const isLock = checker(Type.Object({
  owner: Type.String({ maxLength: 64 }),
  alone: Type.Boolean(),
  until: Type.Integer({ minimum: 0 }),
}));
/** Locks of this process, by their files. */
const held = new Set<string>();

type Files = Pick<BackupStore, "list" | "read" | "write" | "remove">;

/** @param owner name that only one process has: locks of an earlier process with that name do not count */
export class StoreLeases {
  constructor(
    private readonly store: Files,
    private readonly owner: string,
    private readonly clock: Clock,
  ) {}

  /** As {@link BackupStore.lock}. */
  async lock(what: LockName, alone: boolean): Promise<StoreLock | undefined> {
    const name = `locks/${what}-${crypto.randomUUID()}`, { clock } = this;
    /** When what the store has of it was made: by every clock, for the uptime may leave out that the host slept. */
    let made = { wall: clock.now(), up: clock.monotonic() };
    let isLost = false;
    const isHeld = () => {
      isLost ||= Math.max(clock.now() - made.wall, clock.monotonic() - made.up) > HOLDS_MS;
      return !isLost;
    };
    const write = async () => {
      const now = { wall: clock.now(), up: clock.monotonic() };
      const text = JSON.stringify({ owner: this.owner, alone, until: now.wall + HOLDS_MS });
      await this.store.write(name, new TextEncoder().encode(text));
      // Before it is made again: in a gap somebody else may have had it.
      if (isHeld()) made = now;
    };
    let cancel: () => void;
    /** Of renewals: one that is under way while the lock is let go would leave its file behind. */
    const renewing = new Set<Promise<void>>();
    const renewLater = () => {
      cancel = clock.after(RENEW_MS, () => {
        renewLater();
        const renewal = write()
          .catch((error) => log.warn("a lock of a backup target could not be renewed", { error }))
          .finally(() => renewing.delete(renewal));
        renewing.add(renewal);
      });
    };
    held.add(name);
    renewLater();
    const remove = () =>
      this.store.remove(name).catch((error) =>
        log.debug("a lock of a backup target could not be removed: it ends by itself", { error })
      );
    const release = async () => {
      cancel();
      held.delete(name);
      await remove();
      // A target that does not answer is not waited for
      for (const renewal of renewing) void renewal.then(remove);
    };
    try {
      await write();
      if (!await this.#isTaken(what, alone, name)) return { isHeld, release };
    } catch (error) {
      await release();
      throw error;
    }
    await release();
    return undefined;
  }

  /** Whether somebody else has it. */
  async #isTaken(what: LockName, alone: boolean, mine: string): Promise<boolean> {
    for await (const { name } of this.store.list("locks")) {
      if (name === mine || !name.startsWith(`locks/${what}-`)) continue;
      const other = await this.#at(name);
      if (other === undefined) continue;
      const now = this.clock.now();
      const isLeft = other.owner === this.owner && !held.has(name);
      const isOver = other.until + SKEW_MS < now || other.until > now + HOLDS_MS + SKEW_MS;
      if (isLeft || isOver) {
        await this.store.remove(name);
        continue;
      }
      if (alone || other.alone) return true;
    }
    return false;
  }

  async #at(name: string): Promise<{ owner: string; alone: boolean; until: number } | undefined> {
    try {
      const value: unknown = JSON.parse(new TextDecoder().decode(await this.store.read(name, MOST_BYTES)));
      // A lock that cannot be read must not hold for ever: it is treated as one that ends now.
      return isLock(value) ? value : { owner: "", alone: true, until: 0 };
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      if (error instanceof SyntaxError) return { owner: "", alone: true, until: 0 };
      throw error;
    }
  }
}
