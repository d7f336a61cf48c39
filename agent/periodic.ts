/** Periodic work: one table of jobs, an injected clock, and a stop that waits a bounded time and names what still runs. */
import { log } from "./log.ts";

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
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(readonly jobs: readonly PeriodicJob[]) {}

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
    this.#timers.set(job.name, setTimeout(start, job.every()));
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
    for (const timer of this.#timers.values()) clearTimeout(timer);
    let timer: ReturnType<typeof setTimeout> | undefined;
    await Promise.race([
      Promise.all(this.#running.values()),
      new Promise((resolve) => timer = setTimeout(resolve, deadlineMs)),
    ]);
    clearTimeout(timer);
    return [...this.#running.keys()];
  }
}
