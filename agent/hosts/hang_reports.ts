/**
 * Reports of objects that do not respond, for the log and for alerts: the beginning and the end of each hang,
 * at most one pair a minute for each object, however often it comes and goes.
 */
import type { Hang } from "../../lib/contract/host.ts";
import type { Clock } from "../clock.ts";

/** Milliseconds from one beginning that is reported to the next one of the same object. */
export const PAIR_MS = 60_000;

/** Gets the beginning and the end of hangs. */
export interface HangListener {
  began(hang: Hang): void;
  /** @param ms for how long it did not respond */
  ended(hang: Hang, ms: number): void;
  /** After either, once. */
  changed(): void;
}

/** An object that does not respond. */
interface ReportedHang {
  hang: Hang;
  isReported: boolean;
}

/** Parts of libvirt count as one: where one hangs, others follow. */
const keyOf = ({ about, vmId, name }: Hang) => about === "host" ? about : `${about} ${vmId ?? name}`;

export class HangReports {
  readonly #known = new Map<string, ReportedHang>();
  /** When the last beginning was reported, by the monotonic clock. */
  readonly #reportedAt = new Map<string, number>();
  #cancel: (() => void) | undefined;

  constructor(
    private readonly clock: Pick<Clock, "now" | "monotonic" | "after">,
    private readonly listener: HangListener,
  ) {}

  /** Hangs that were reported and are not over. */
  get open(): readonly Hang[] {
    return [...this.#known.values()].filter(({ isReported }) => isReported).map(({ hang }) => hang);
  }

  /** Tells what does not respond now: all of it, of each object first what says most. */
  update(hangs: readonly Hang[]): void {
    const now = new Map<string, Hang>();
    for (const hang of hangs) if (!now.has(keyOf(hang))) now.set(keyOf(hang), hang);
    let isChanged = false;
    for (const [key, { hang, isReported }] of this.#known) {
      if (now.has(key)) continue;
      this.#known.delete(key);
      if (!isReported) continue;
      isChanged = true;
      this.listener.ended(hang, Math.max(0, this.clock.now() - hang.since));
    }
    for (const [key, hang] of now) {
      const known = this.#known.get(key);
      if (known === undefined) this.#known.set(key, { hang, isReported: false });
      else known.hang = hang;
    }
    this.#report(isChanged);
  }

  /** Reports nothing any more. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #report(isChanged: boolean): void {
    const now = this.clock.monotonic();
    for (const [key, at] of this.#reportedAt) if (now - at >= PAIR_MS) this.#reportedAt.delete(key);
    let due = Infinity;
    for (const [key, known] of this.#known) {
      if (known.isReported) continue;
      const last = this.#reportedAt.get(key);
      if (last !== undefined) {
        due = Math.min(due, last + PAIR_MS);
        continue;
      }
      this.#reportedAt.set(key, now);
      known.isReported = isChanged = true;
      this.listener.began(known.hang);
    }
    this.stop();
    if (due < Infinity) this.#cancel = this.clock.after(due - now, () => this.#report(false));
    if (isChanged) this.listener.changed();
  }
}
