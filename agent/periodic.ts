/** Periodic work: one table of jobs, the clock, and a stop that waits a bounded time and names what still runs. */
import { type Clock, SYSTEM_CLOCK } from "./clock.ts";
import { log } from "./log.ts";
import { within } from "./within.ts";

/** One job that repeats. It never overlaps itself. */
export interface PeriodicJob {
  readonly name: string;
  /** Milliseconds from the end of one run to the start of the next; asked anew each time. */
  readonly every: () => number;
  run(signal: AbortSignal): Promise<void> | void;
}

/** Runs jobs until stopped. */
export class Periodic {
  readonly #abort = new AbortController();
  readonly #running = new Map<string, Promise<void>>();
  readonly #timers = new Map<string, () => void>();

  constructor(readonly jobs: readonly PeriodicJob[], private readonly clock: Clock = SYSTEM_CLOCK) {}

  start(): void {
    for (const job of this.jobs) this.#later(job);
  }

  #later(job: PeriodicJob): void {
    if (this.#abort.signal.aborted) return;
    const start = () => {
      // `finally` comes later even when the job has thrown at once, so the entry it takes out is there.
      const run = this.#run(job).finally(() => {
        this.#running.delete(job.name);
        this.#later(job);
      });
      this.#running.set(job.name, run);
    };
    this.#timers.set(job.name, this.clock.after(job.every(), start));
  }

  async #run(job: PeriodicJob): Promise<void> {
    try {
      await job.run(this.#abort.signal);
    } catch (error) {
      // One job that fails stops neither itself nor the others.
      log.warn("a periodic job failed", { job: job.name, error });
    }
  }

  /** Stops; resolves with the names of jobs that still ran after `deadlineMs`. */
  async stop(deadlineMs: number): Promise<string[]> {
    this.#abort.abort();
    for (const cancel of this.#timers.values()) cancel();
    await within(deadlineMs, Promise.all(this.#running.values()));
    return [...this.#running.keys()];
  }
}
