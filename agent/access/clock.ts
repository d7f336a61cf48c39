/** Time that no change of the clock moves: how long ago something was, across restarts of KVM Manager too. */

/** A moment, by every clock there is. */
export interface Moment {
  /** Milliseconds since 1970, as people see it. */
  readonly wall: number;
  /** Which boot of the host. */
  readonly boot: string;
  /** Milliseconds since that boot. */
  readonly up: number;
}

/** Tells the moment; tests bring their own. */
export type Clock = () => Moment;

/** The host's clocks. Where there is no /proc, each start of the process counts as a boot. */
export function hostClock(): Clock {
  let boot: string = crypto.randomUUID(), base = 0;
  try {
    boot = Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
    base = Number(Deno.readTextFileSync("/proc/uptime").split(" ")[0]) * 1000 - performance.now();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound) && !(error instanceof Deno.errors.PermissionDenied)) {
      throw error;
    }
  }
  return () => ({ wall: Date.now(), boot, up: base + performance.now() });
}

/** Milliseconds from one moment to a later one: by the uptime; across boots by the wall clock, never less than none. */
export function elapsed(from: Moment, to: Moment): number {
  return Math.max(0, from.boot === to.boot ? to.up - from.up : to.wall - from.wall);
}
