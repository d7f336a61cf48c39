/**
 * One mount and the accesses to it. Each access that waits for a dead server keeps one of the process's 32 blocking
 * threads for ever, so that at most {@link MOST_THREADS} are given to a mount. Whether it responds is asked by a canary
 * (statfs), one at a time. Time is passed in: pure but for what the canary and the accesses do.
 */
import { ContractError } from "../../lib/contract/mod.ts";
import type { Clock } from "../clock.ts";

/** Blocking threads that one mount may take, its canary included. */
export const MOST_THREADS = 4;
/** Milliseconds after which a canary, or an access with a canary out, is late. */
export const LIMIT_MS = 3000;
/** Milliseconds for which a canary that returned in time speaks for the mount. */
const FRESH_MS = 5000;
/** Milliseconds after which an access makes one ask the mount, and at most so often while it goes on. */
const SUSPICION_MS = 200;
/** … between such questions while one access goes on. */
const AGAIN_MS = 2000;
/** Milliseconds without any answer of the mount after which work on it is given up: a busy server may be late by seconds. */
const MOST_WORK_MS = 60_000;
/** Milliseconds after which a look is given up although the canary returns: a single file can hang, too. */
const MOST_LOOK_MS = 10_000;
/** Milliseconds of an access's wait that count as the canary's, which it brought about. */
const MOST_BEFORE_MS = 1000;
/** Milliseconds between looks at the time, while something is out. */
const TICK_MS = 100;

/** Milliseconds by which a look at the time may come late, and still tells that a mount is late, not this process. */
const LATE_TICK_MS = 1000;

/** A mount. */
export interface MountPoint {
  readonly id: string;
  readonly at: string;
  readonly type: string;
  readonly source: string;
}

/**
 * Kind of access: a look changes nothing, and is given up after a time; work goes on as long as the mount
 * responds.
 */
export type AccessKind = "look" | "work";

interface Access {
  readonly kind: AccessKind;
  /** Monotonic milliseconds. */
  readonly since: number;
  readonly giveUp: (error: Error) => void;
}

interface Waiter {
  readonly go: () => void;
  readonly giveUp: (error: Error) => void;
}

/** Surroundings of a mount: the clock, the canary that asks its server, and the report of a change. */
export interface MountOutside {
  readonly clock: Clock;
  /** Asks the mount something that its server must answer. */
  readonly canary: (at: string) => Promise<unknown>;
  /** Is told when it stops responding, and when it responds again. */
  readonly changed: () => void;
}

/** A mount does not respond. For a disk of this host the text does not recommend umount. */
export class MountNotResponding extends ContractError {
  constructor(path: string, since: string, canHang: boolean) {
    const reason = `the disk at ${path} has not responded since ${since}`;
    super(canHang ? "StorageNotResponding" : "StorageUnknown", canHang ? { path, since } : { reason });
  }
}

export class GuardedMount {
  /** Accesses whose callers wait. */
  readonly #running = new Set<Access>();
  /** Accesses whose callers were refused; each keeps its thread. */
  readonly #abandoned = new Set<Access>();
  readonly #queue: Waiter[] = [];
  #canary: { readonly since: number; isLate: boolean } | undefined;
  /** Calls that wait for the canary. */
  #asking: Waiter[] = [];
  /** Monotonic milliseconds at which it was last known to respond. */
  #answeredAt = -Infinity;
  #closedSince: number | undefined;
  #isSuspect: boolean;
  #stopTicking: (() => void) | undefined;

  /** @param canHang whether its type makes it one that waits for a server or for another process */
  constructor(readonly mount: MountPoint, readonly canHang: boolean, private readonly outside: MountOutside) {
    this.#isSuspect = canHang;
  }

  /** Whether it is asked before each access, unless it answered just now. */
  get isSuspect(): boolean {
    return this.#isSuspect;
  }

  /** When it stopped responding, in milliseconds since 1970; undefined while it responds. */
  get closedSince(): number | undefined {
    return this.#closedSince;
  }

  /** Threads that wait for it just now. */
  get threads(): number {
    return this.#running.size + this.#abandoned.size + (this.#canary === undefined ? 0 : 1);
  }

  /** Waits until it is known to respond. @throws {ContractError} StorageNotResponding */
  async admit(): Promise<void> {
    for (;;) {
      if (this.#closedSince !== undefined) throw this.#refusal();
      const isFresh = this.#now - this.#answeredAt <= FRESH_MS;
      if (!this.#isSuspect || isFresh) return;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      this.#asking.push({ go: resolve, giveUp: reject });
      this.#ask(this.#now);
      await promise;
    }
  }

  /**
   * Asks it again. One that has not answered in time may only be slow: it is not closed by that.
   *
   * @returns whether it has answered within so many milliseconds; true for a disk of this host, which is not asked
   */
  async answersWithin(ms: number): Promise<boolean> {
    if (!this.canHang && !this.#isSuspect) return true;
    if (this.#closedSince !== undefined) return false;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#asking.push({ go: () => resolve(true), giveUp: () => resolve(false) });
    this.#ask(this.#now);
    const cancel = this.outside.clock.after(ms, () => resolve(false));
    return await promise.finally(cancel);
  }

  /**
   * Carries an access out, in its turn.
   *
   * @param discard gets the result of an access whose caller was refused meanwhile
   * @throws {ContractError} StorageNotResponding @throws errors of the access
   */
  async access<T>(kind: AccessKind, run: () => Promise<T>, discard?: (late: T) => void): Promise<T> {
    await this.admit();
    // Work on a disk of this host may take its time, and many threads.
    if (kind === "work" && !this.#isSuspect) return await run();
    // Others may be faster once there is room.
    while (!this.#hasRoom) await this.#turn();
    const { promise, reject } = Promise.withResolvers<never>();
    const access: Access = { kind, since: this.#now, giveUp: reject };
    this.#running.add(access);
    this.#tick();
    const work = (async () => await run())();
    const over = () => this.#returned(access);
    work.then((value) => {
      if (!over()) discard?.(value);
    }, over);
    return await Promise.race([work, promise]);
  }

  /** It was unmounted: refuses all that wait for it. */
  removed(): void {
    this.#giveUpAll(this.#refusal());
    this.#stopTicking?.();
    this.#stopTicking = undefined;
  }

  get #now(): number {
    return this.outside.clock.monotonic();
  }

  /** The time of day of a monotonic time. */
  #wall(at: number): number {
    return this.outside.clock.now() - (this.#now - at);
  }

  /** @param since monotonic milliseconds at which the wait began, where the mount is not closed */
  #refusal(since = this.#now): MountNotResponding {
    const wall = new Date(this.#closedSince ?? this.#wall(since)).toISOString();
    return new MountNotResponding(this.mount.at, wall, this.canHang);
  }

  get #hasRoom(): boolean {
    // One thread is the canary's.
    return this.#running.size + this.#abandoned.size < MOST_THREADS - 1;
  }

  /** Waits until an access has returned. @throws {ContractError} StorageNotResponding */
  async #turn(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#queue.push({ go: resolve, giveUp: reject });
    this.#tick();
    await promise;
    if (this.#closedSince !== undefined) throw this.#refusal();
  }

  /** @returns whether its caller still waited */
  #returned(access: Access): boolean {
    const waited = this.#running.delete(access);
    if (!waited) this.#abandoned.delete(access);
    this.#answeredAt = this.#now;
    if (this.#closedSince !== undefined) this.#ask(this.#now);
    this.#queue.shift()?.go();
    this.#tick();
    return waited;
  }

  /** Sends the canary out, unless it is out. @param since when what makes us ask began */
  #ask(since: number): void {
    if (this.#canary !== undefined) return;
    const canary = { since, isLate: false };
    this.#canary = canary;
    const over = () => {
      this.#canary = undefined;
      if (canary.isLate) return this.#ask(this.#now); // half open: only one that returns in time opens it
      this.#answeredAt = this.#now;
      const isWell = this.#abandoned.size === 0 && !this.#isAnyLate;
      if (isWell) this.#isSuspect = this.canHang;
      this.#open();
      for (const { go } of this.#asking.splice(0)) go();
      this.#tick();
    };
    // An error is an answer, too: what it means is for the accesses to say.
    this.outside.canary(this.mount.at).then(over, over);
    this.#tick();
  }

  get #isAnyLate(): boolean {
    return [...this.#running].some(({ since }) => this.#now - since >= LIMIT_MS);
  }

  #open(): void {
    if (this.#closedSince === undefined || !this.#hasRoom) return;
    this.#closedSince = undefined;
    this.outside.changed();
  }

  /** @param since monotonic milliseconds */
  #close(since: number): void {
    if (this.#closedSince !== undefined) return;
    this.#isSuspect = true;
    this.#closedSince = this.#wall(since);
    // Work that is under way may come to its end all the same
    for (const access of [...this.#running]) {
      if (access.kind === "look") this.#abandon(access, this.#refusal());
    }
    this.#refuseWaiting(this.#refusal());
    this.outside.changed();
  }

  #giveUpAll(error: Error): void {
    for (const access of [...this.#running]) this.#abandon(access, error);
    this.#refuseWaiting(error);
  }

  #refuseWaiting(error: Error): void {
    for (const { giveUp } of [...this.#asking.splice(0), ...this.#queue.splice(0)]) giveUp(error);
  }

  #abandon(access: Access, error: Error): void {
    this.#running.delete(access);
    this.#abandoned.add(access);
    access.giveUp(error);
  }

  /** Looks at the time again soon, while something is out that may become late. */
  #tick(): void {
    const isOut = this.#running.size > 0 || (this.#canary !== undefined && !this.#canary.isLate);
    if (!isOut) {
      this.#stopTicking?.();
      this.#stopTicking = undefined;
      return;
    }
    const due = this.#now + TICK_MS;
    this.#stopTicking ??= this.outside.clock.after(TICK_MS, () => {
      this.#stopTicking = undefined;
      // This process stood still: what has returned meanwhile is told first.
      if (this.#now - due < LATE_TICK_MS) this.#look();
      this.#tick();
    });
  }

  #look(): void {
    const now = this.#now;
    if (this.#canary !== undefined && !this.#canary.isLate && now - this.#canary.since >= LIMIT_MS) {
      this.#canary.isLate = true;
      this.#close(this.#canary.since);
    }
    for (const access of [...this.#running]) {
      if (this.#closedSince !== undefined) {
        const silentMs = now - Math.max(access.since, this.#answeredAt);
        if (silentMs >= MOST_WORK_MS) this.#abandon(access, this.#refusal(access.since));
        continue;
      }
      const out = now - access.since;
      if (out >= LIMIT_MS) this.#isSuspect = true;
      if (access.kind === "look" && out >= MOST_LOOK_MS) this.#abandon(access, this.#refusal(access.since));
      else if (out >= SUSPICION_MS && this.#isSuspect) {
        const isFirst = this.#answeredAt <= access.since;
        if (isFirst) this.#ask(Math.max(access.since, now - MOST_BEFORE_MS));
        else if (now - this.#answeredAt >= AGAIN_MS) this.#ask(now);
      }
    }
    // All its threads are kept by accesses that were given up.
    if (this.#running.size === 0 && !this.#hasRoom) {
      this.#close(Math.min(...[...this.#abandoned].map(({ since }) => since)));
    }
  }
}
