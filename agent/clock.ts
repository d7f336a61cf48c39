/**
 * Time, as the agent knows it. Whatever depends on the time takes a `Clock`, so that a test can let a year go by
 * (`testing.ts`). Limits of calls to the outside – libvirt, programs, sockets – are no part of it: those are real
 * milliseconds in tests, too.
 */

/** Tells the time, and calls back later. */
export interface Clock {
  /** Milliseconds since 1970, as people see it: somebody may set it, forwards and backwards. */
  now(): number;
  /** Milliseconds of a clock that cannot be set: since the host's boot, the time it was suspended included where that is known. */
  monotonic(): number;
  /** Id of the host's boot that `monotonic()` counts from. */
  boot(): string;
  /**
   * Calls once.
   *
   * @param ms monotonic milliseconds from now, as many as one likes
   * @returns calls it off; afterwards it does nothing
   */
  after(ms: number, run: () => void): () => void;
}

/** A moment, by every clock there is: it can be kept, and compared with one after a restart. */
export interface Moment {
  /** Milliseconds since 1970, as people see it. */
  readonly wall: number;
  /** Id of the host's boot. */
  readonly boot: string;
  /** Milliseconds since that boot. */
  readonly up: number;
}

/** This moment. */
export function momentOf(clock: Clock): Moment {
  return { wall: clock.now(), boot: clock.boot(), up: clock.monotonic() };
}

/** Milliseconds from one moment to a later one: by the uptime; across boots by the wall clock, never less than none. */
export function elapsed(from: Moment, to: Moment): number {
  return Math.max(0, from.boot === to.boot ? to.up - from.up : to.wall - from.wall);
}

/** Waits. @param signal ends the wait early, which is no error */
export async function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = () => resolve();
  const cancel = clock.after(ms, end);
  signal?.addEventListener("abort", end);
  await promise;
  cancel();
  signal?.removeEventListener("abort", end);
}

/** Longest that `setTimeout` can wait: what is more comes at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** The host's clocks. Where there is no /proc, each start of the process counts as a boot. */
class SystemClock implements Clock {
  #host: { readonly boot: string; readonly base: number } | undefined;

  now(): number {
    return Date.now();
  }

  monotonic(): number {
    return this.#read().base + performance.now();
  }

  boot(): string {
    return this.#read().boot;
  }

  after(ms: number, run: () => void): () => void {
    const end = this.monotonic() + ms;
    let timer: ReturnType<typeof setTimeout>;
    const wait = (left: number) => {
      timer = left > LONGEST_MS
        ? setTimeout(() => wait(end - this.monotonic()), LONGEST_MS)
        : setTimeout(run, left);
    };
    wait(ms);
    return () => clearTimeout(timer);
  }

  /** Read when first needed: the start of the program waits for no file. */
  #read() {
    if (this.#host) return this.#host;
    let boot: string = crypto.randomUUID(), base = 0;
    try {
      boot = Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
      base = Number(Deno.readTextFileSync("/proc/uptime").split(" ")[0]) * 1000 - performance.now();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound) && !(error instanceof Deno.errors.PermissionDenied)) {
        throw error;
      }
    }
    return this.#host = { boot, base };
  }
}

/** The clock of everything that is given no other. */
export const SYSTEM_CLOCK: Clock = new SystemClock();

/** The time zone of the host (IANA), for times of day where none is given. */
export const hostZone = (): string => new Intl.DateTimeFormat("en").resolvedOptions().timeZone;
