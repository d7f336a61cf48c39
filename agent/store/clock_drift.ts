/** Whether the wall clock can be trusted where ages decide what is removed. */
import { DAY_MS, HOUR_MS } from "../../lib/duration.ts";
import type { Clock } from "../clock.ts";
import { log } from "../log.ts";
import type { Store } from "./store.ts";

/** Milliseconds that the wall clock may differ from the time that went by: more is a clock that was set. */
const DRIFT_MS = HOUR_MS;
/** Milliseconds that a clock may be ahead of the last run. More is a host that was off for long, or a clock that is wrong. */
const MOST_AWAY_MS = 30 * DAY_MS;
/** Milliseconds that KVM Manager has to run by such a clock until it is trusted: somebody would have noticed. */
const WATCH_MS = DAY_MS;

/** When the clock was trusted last, and how long it was watched since. Milliseconds. */
interface TrustedMoment {
  readonly seen: number;
  readonly watched: number;
}

export class ClockDrift {
  readonly #clock: Clock;
  readonly #store: Store;
  /** Wall minus monotonic time at the start. */
  readonly #base: number;
  /** Moment found at the start; undefined if KVM Manager has never run, or its database cannot be read. */
  #found: TrustedMoment | undefined;
  readonly #startedAt: number;
  #isTold = false;

  constructor(clock: Clock, store: Store) {
    this.#clock = clock;
    this.#store = store;
    this.#base = this.#offset;
    this.#startedAt = clock.monotonic();
    store.attach((database) => {
      if (this.#found !== undefined) return;
      const row = database.prepare("SELECT seen, watched FROM clock").get();
      if (row !== undefined) this.#found = { seen: Number(row.seen), watched: Number(row.watched) };
    });
  }

  get #offset(): number {
    return this.#clock.now() - this.#clock.monotonic();
  }

  get #wasSet(): boolean {
    return Math.abs(this.#offset - this.#base) >= DRIFT_MS;
  }

  /** Milliseconds for which the clock was watched, by this run and those before it. */
  get #watched(): number {
    return (this.#found?.watched ?? 0) + this.#clock.monotonic() - this.#startedAt;
  }

  /** Milliseconds from the last run to this one, by the wall clock; 0 where there was none. */
  get #away(): number {
    return this.#found === undefined ? 0 : this.#clock.now() - this.#watched - this.#found.seen;
  }

  /** Why nothing is removed: with a clock that was set, or is wrong, old and new are anybody's guess. */
  get held(): string | undefined {
    if (this.#wasSet) {
      return "the host's clock was set since the start, so ages cannot be trusted: check it, then restart KVM Manager";
    }
    if (this.#away <= MOST_AWAY_MS || this.#watched >= WATCH_MS) return undefined;
    const days = Math.round(this.#away / DAY_MS), hours = Math.ceil((WATCH_MS - this.#watched) / HOUR_MS);
    return `the host's clock is ${days} days ahead of when KVM Manager last ran. Check it: if it is right, nothing needs ` +
      `to be done, and old things are removed again after ${hours} hours of running`;
  }

  /** Writes down how late it is, as long as that can be told. Called again and again. */
  note(): void {
    const { held } = this;
    if (held !== undefined && !this.#isTold) log.warn("nothing is removed by age", { reason: held });
    this.#isTold = held !== undefined;
    if (this.#wasSet) return;
    const { seen, watched } = held === undefined
      ? { seen: this.#clock.now(), watched: 0 }
      : { seen: this.#found!.seen, watched: this.#watched };
    this.#store.write(() => {
      this.#store.database!.prepare(
        "INSERT INTO clock (id, seen, watched) VALUES (1, ?, ?) " +
          "ON CONFLICT (id) DO UPDATE SET seen = excluded.seen, watched = excluded.watched",
      ).run(Math.round(seen), Math.round(watched));
    });
  }
}
