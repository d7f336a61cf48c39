/** Periodic work: one table of jobs, the clock, and a stop that waits a bounded time and names what still runs. */
import { type Clock, SYSTEM_CLOCK } from "./clock.ts";
import { isHang } from "./libvirt/failure.ts";
import { log } from "./log.ts";
import { within } from "./within.ts";

/** One job that repeats. It never overlaps itself. */
export interface PeriodicJob {
  readonly name: string;
  /** Milliseconds from one run to the next; asked again each time. */
  readonly every: () => number;
  run(signal: AbortSignal): Promise<void> | void;
}

/** The runs of jobs that are under way. */
class Runs {
  readonly #abort = new AbortController();
  readonly #running = new Map<string, Promise<void>>();

  get areOver(): boolean {
    return this.#abort.signal.aborted;
  }

  has(job: PeriodicJob): boolean {
    return this.#running.has(job.name);
  }

  /** @param ended is called when it has ended, whatever came of it @returns its end; never rejects */
  begin(job: PeriodicJob, ended: () => void = () => {}): Promise<void> {
    // `finally` comes later even when the job has thrown at once, so the entry it takes out is there.
    const run = this.#run(job).finally(() => {
      this.#running.delete(job.name);
      ended();
    });
    this.#running.set(job.name, run);
    return run;
  }

  async #run(job: PeriodicJob): Promise<void> {
    try {
      await job.run(this.#abort.signal);
    } catch (error) {
      // One job that fails stops neither itself nor the others. What hangs is told elsewhere, once.
      if (isHang(error)) {
        return log.debug("a periodic job waits for what does not respond", { job: job.name, error });
      }
      log.warn("a periodic job failed", { job: job.name, error });
    }
  }

  /** Tells them to end; resolves with the names of those that still ran after `deadlineMs`. */
  async stop(deadlineMs: number): Promise<string[]> {
    this.#abort.abort();
    await within(deadlineMs, Promise.all(this.#running.values()));
    return [...this.#running.keys()];
  }
}

/** Runs jobs until stopped. `every` counts from the end of one run to the start of the next. */
export class Periodic {
  readonly #runs = new Runs();
  readonly #timers = new Map<string, () => void>();

  constructor(readonly jobs: readonly PeriodicJob[], private readonly clock: Clock = SYSTEM_CLOCK) {}

  start(): void {
    for (const job of this.jobs) this.#later(job);
  }

  #later(job: PeriodicJob): void {
    if (this.#runs.areOver) return;
    const start = () => this.#runs.begin(job, () => this.#later(job));
    this.#timers.set(job.name, this.clock.after(job.every(), start));
  }

  /** Stops; resolves with the names of jobs that still ran after `deadlineMs`. */
  async stop(deadlineMs: number): Promise<string[]> {
    for (const cancel of this.#timers.values()) cancel();
    return await this.#runs.stop(deadlineMs);
  }
}

/** Milliseconds that a job which is due as well waits at most for the one before it. */
const TURN_MS = 500;

/** How often {@link PacedJobs} looks which jobs are due. */
export interface PacedJobsOptions {
  readonly clock: Clock;
  /** Milliseconds between two looks. */
  readonly checkMs: number;
  /** Whether anything may be run now. */
  readonly isReady: () => boolean;
}

/**
 * Runs jobs whose pace changes with who looks, until stopped: one timer for all looks which of them are due; a timer
 * each would wake the program all the time. `every` counts from the start of one run to that of the next; the first run
 * comes with the first look. Jobs that are due at once run one after the other: calls of many jobs at the same time would
 * start libvirt workers for this moment alone.
 */
export class PacedJobs {
  readonly #runs = new Runs();
  readonly #began = new Map<string, number>();
  #cancel = () => {};

  constructor(readonly jobs: readonly PeriodicJob[], private readonly options: PacedJobsOptions) {}

  start(): void {
    if (this.#runs.areOver) return;
    const { clock, checkMs } = this.options;
    this.#cancel = clock.after(checkMs, () => {
      this.start();
      void this.#beginDue();
    });
  }

  async #beginDue(): Promise<void> {
    const { clock, isReady } = this.options;
    for (const job of this.jobs) {
      if (this.#runs.areOver || !isReady()) return;
      const now = clock.monotonic(), began = this.#began.get(job.name);
      if (this.#runs.has(job)) continue;
      if (began !== undefined && now - began < job.every()) continue;
      this.#began.set(job.name, now);
      const run = this.#runs.begin(job);
      if (began !== undefined) await within(TURN_MS, run);
    }
  }

  /** Stops; resolves with the names of jobs that still ran after `deadlineMs`. */
  async stop(deadlineMs: number): Promise<string[]> {
    this.#cancel();
    return await this.#runs.stop(deadlineMs);
  }
}
