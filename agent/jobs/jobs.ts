/**
 * Long work: each piece is a job with progress, a log and a way to cancel it. Whoever asked still gets the answer; a
 * job is how everybody else sees it. Jobs of an earlier run that had not ended are `interrupted`.
 */
import { ContractError } from "../../lib/contract/errors.ts";
import { isOpenJob, type Job as JobText, type JobLine as LineText } from "../../lib/contract/jobs.ts";
import { render, type Sentence, type Unrendered, vmIdsIn } from "../../lib/i18n/message.ts";
import { attributedError, attributedSentence, type KnownNames } from "../access/attribution.ts";
import type { CommandName } from "../../lib/contract/mod.ts";
import { contractError } from "../libvirt/failure.ts";
import { type Clock, SYSTEM_CLOCK } from "../clock.ts";
import { log } from "../log.ts";
import { type JobRecord, JobRecords, JOBS_KEPT } from "./records.ts";
import type { Store } from "../store/store.ts";
import { JobPace } from "./pace.ts";

/** A job, and a line of its log, before their texts are made for who reads them. */
type Job = Unrendered<JobText>;
type JobLine = Unrendered<LineText>;

/** Specification of a job. */
export interface JobSpec {
  /** Its id, where that was told before; a new one when left out. */
  readonly id?: string;
  readonly command: CommandName;
  readonly title: Sentence;
  readonly actor: string;
  readonly vmId?: string;
  readonly subject?: Sentence;
  /** Host of the job; the local one if left out. */
  readonly host?: string;
  /** Work that shares a bound on how much of it runs at once; what is too much waits in order. */
  readonly lane?: Lane;
  /**
   * A queue of its own, which decides when it runs: resolves then. It goes on waiting when KVM Manager stops, and is opened
   * again by its id after the start.
   *
   * @throws the reason of the signal when it is cancelled
   */
  readonly admit?: (waiting: WaitingJob) => Promise<void>;
  /** Advice to people when KVM Manager ends in the middle: a sentence. */
  readonly ifInterrupted: string;
}

/** A job as its queue sees it. */
export interface WaitingJob {
  /** Aborted when it is cancelled. */
  readonly signal: AbortSignal;
  /** Tells its place in the queue, from 1, and what it waits for. */
  tell(place: number, waitsFor: readonly Sentence[]): void;
}

/** Work under way, as it sees itself. */
export interface JobHandle {
  readonly id: string;
  /** Aborted when it is to stop and undo what it did. */
  readonly signal: AbortSignal;
  /** Tells how far it is, in bytes; `total` is null while unknown. */
  progress(done: number, total: number | null): void;
  log(text: Sentence): void;
}

/** A job whose end is told by whoever holds it: for work that outlives the call that began it. */
export interface OpenJob extends JobHandle {
  /** Waits in its own queue once more (`JobSpec.admit`). @throws {ContractError} JobCancelled */
  waitAgain(): Promise<void>;
  done(): void;
  /** @returns the error to tell: `JobCancelled` when it was cancelled */
  failed(error: unknown): unknown;
}

/** How much of what shares a resource runs at once. libvirt's own bound for copies is 3 (`ffi/calls/mod.ts`). */
const LANES = { copy: 2, send: 2 } as const;
type Lane = keyof typeof LANES;

/** Milliseconds between two tellings of the progress of a job, and between two savings of lines of logs. */
const TELL_MS = 400;
/** Lines of a job's log; the first ones are kept, they say what it began with. */
const MOST_LINES = 200;
const MOST_LINE = 1000;

/** The world of the jobs: tests bring their own. */
export interface JobsOptions {
  readonly clock?: Clock;
  /** Told of every change of state; of several jobs at once where one thing changed them. */
  readonly onChanged?: (jobs: readonly Job[]) => void;
  /** Told how far a job is, a few times a second. */
  readonly onProgress?: (job: Job) => void;
  /** Names of VMs, which other programs say, and files have. */
  readonly names?: KnownNames;
}

/** The error of a job that did not come to its end. */
const interruption = (advice: string) => {
  const { code, sentence } = new ContractError("JobInterrupted", { advice });
  return { code, message: sentence };
};

/** Shortens a text that is longer than a line; the result is no message. */
function bounded(text: Sentence): Sentence {
  const length = render(text).length;
  if (length <= MOST_LINE) return text;
  const cut = render(text).slice(0, MOST_LINE);
  return typeof text === "string" ? cut : { $foreign: cut, vmIds: [...vmIdsIn(text)] };
}

const NO_NAMES: KnownNames = { current: () => [], former: () => [] };

interface Entry {
  job: Job;
  readonly log: JobLine[];
  readonly advice: string;
  readonly abort: AbortController;
  readonly pace: JobPace;
  readonly lane: Lane | undefined;
  readonly admit: JobSpec["admit"];
  /** Lets it run; for what waits in its lane. */
  start: (() => void) | undefined;
  cancelTelling: (() => void) | undefined;
  isSaved: boolean;
}

export class Jobs {
  readonly #options: Required<JobsOptions>;
  readonly #entries = new Map<string, Entry>();
  readonly #records: JobRecords;
  /** Ids of jobs that the database may still have. */
  readonly #forgotten = new Set<string>();
  #stopping = false;
  /** Calls off the saving of lines that is to come. */
  #cancelSaving: (() => void) | undefined;

  constructor(store: Store, options: JobsOptions = {}) {
    this.#options = {
      clock: SYSTEM_CLOCK,
      onChanged: () => {},
      onProgress: () => {},
      names: NO_NAMES,
      ...options,
    };
    this.#records = new JobRecords(store, (stored) => this.#takeUp(stored));
    this.#save();
  }

  /**
   * Carries work out as a job.
   *
   * @throws errors of the work, as errors of the contract where possible; JobCancelled when it was cancelled
   */
  async run<T>(spec: JobSpec, work: (job: JobHandle) => Promise<T>): Promise<T> {
    const job = await this.open(spec);
    try {
      const result = await work(job);
      job.done();
      return result;
    } catch (error) {
      throw job.failed(error);
    }
  }

  /** Begins a job; waits for its place where its lane is full. @throws {ContractError} JobCancelled while it waits */
  async open(spec: JobSpec): Promise<OpenJob> {
    const { id = crypto.randomUUID(), command, title, actor, vmId, subject, host, lane, ifInterrupted } =
      spec;
    const { admit } = spec;
    const waits = lane !== undefined && this.#running(lane) >= LANES[lane];
    const entry: Entry = {
      job: {
        id,
        command,
        title: this.#attributed(title),
        ...(vmId !== undefined && { vmId }),
        ...(subject !== undefined && { subject: this.#attributed(subject) }),
        ...(host !== undefined && { host }),
        actor,
        state: waits || admit !== undefined ? "queued" : "running",
        ...(waits && { waitsFor: this.#titlesIn(lane) }),
        progress: null,
        doneBytes: null,
        totalBytes: null,
        startedAt: this.#options.clock.now(),
        endedAt: null,
        secondsLeft: null,
        error: null,
        cancellable: true,
        cancelling: false,
      },
      log: [],
      advice: ifInterrupted,
      abort: new AbortController(),
      pace: new JobPace(),
      lane,
      admit,
      start: undefined,
      cancelTelling: undefined,
      isSaved: false,
    };
    this.#entries.set(id, entry);
    this.#forgetOldest(actor);
    this.#change(entry, {});
    if (waits) {
      await new Promise<void>((resolve) => entry.start = resolve);
      if (entry.abort.signal.aborted) throw this.#fail(entry, entry.abort.signal.reason);
      this.#change(entry, { state: "running" });
    }
    if (admit !== undefined) await this.#admitted(entry, admit);
    return {
      id,
      signal: entry.abort.signal,
      waitAgain: async () => {
        if (admit === undefined) throw new Error("it has no queue of its own");
        this.#change(entry, { state: "queued", progress: null, doneBytes: null, totalBytes: null });
        await this.#admitted(entry, admit);
      },
      progress: (done, total) => this.#progress(entry, done, total),
      log: (text) => this.#log(entry, text),
      done: () => this.#end(entry, { state: "done", progress: 1 }),
      failed: (error) => this.#fail(entry, error),
    };
  }

  /** Waits until its queue lets a job run. @throws {ContractError} JobCancelled */
  async #admitted(entry: Entry, admit: NonNullable<JobSpec["admit"]>): Promise<void> {
    try {
      await admit({
        signal: entry.abort.signal,
        tell: (place, waitsFor) => {
          if (entry.job.state !== "queued") return;
          entry.job = { ...entry.job, place, waitsFor: [...waitsFor] };
          this.#options.onChanged([entry.job]);
        },
      });
      entry.abort.signal.throwIfAborted();
    } catch (error) {
      throw this.#fail(entry, error);
    }
    this.#change(entry, { state: "running" });
  }

  /** Jobs: open ones first, then finished ones, each the newest first. @param isSeen filter */
  list(limit: number, onlyOpen = false, isSeen: (job: Job) => boolean = () => true): Job[] {
    const all = [...this.#entries.values()].map(({ job }) => job).filter(isSeen).reverse();
    const open = all.filter(isOpenJob);
    return (onlyOpen ? open : [...open, ...all.filter((job) => !isOpenJob(job))]).slice(0, limit);
  }

  /** Whether KVM Manager stops: what is aborted now was not cancelled by a user. */
  get isStopping(): boolean {
    return this.#stopping;
  }

  has(jobId: string): boolean {
    return this.#entries.has(jobId);
  }

  /** @throws {ContractError} JobNotFound */
  get(jobId: string): { job: Job; log: JobLine[] } {
    const { job, log } = this.#entry(jobId);
    return { job, log: [...log] };
  }

  /** Tells a job to stop. @throws {ContractError} JobNotFound, JobOver, JobNotCancellable */
  cancel(jobId: string, actor: string): void {
    const entry = this.#entry(jobId);
    const { state, cancellable, cancelling } = entry.job;
    if (!isOpenJob(entry.job)) throw new ContractError("JobOver", { state });
    if (!cancellable) throw new ContractError("JobNotCancellable");
    if (cancelling) return;
    this.#log(entry, `${actor} asked to cancel it`);
    this.#change(entry, { cancelling: true, secondsLeft: null });
    entry.abort.abort(new ContractError("JobCancelled"));
    entry.start?.();
  }

  /** Replaces the error of a job by a text on how its remains were settled later. */
  settled(jobId: string, text: Sentence): void {
    const entry = this.#entries.get(jobId);
    if (entry === undefined) return;
    this.#log(entry, text);
    const { error } = entry.job;
    if (error !== null) this.#change(entry, { error: { ...error, message: this.#attributed(text) } });
  }

  /** Stops everything that is open: what it did is undone as far as the time allows. Waits at most so long. */
  async stop(deadlineMs: number): Promise<string[]> {
    this.#stopping = true;
    // What waits in a queue of its own waits on after the next start
    const open = () =>
      [...this.#entries.values()].filter(({ job, admit }) =>
        isOpenJob(job) && !(admit !== undefined && job.state === "queued" && !job.cancelling)
      );
    for (const entry of open()) {
      this.#log(entry, "KVM Manager is stopping");
      entry.abort.abort(new ContractError("JobCancelled"));
      entry.start?.();
    }
    const deadline = performance.now() + deadlineMs;
    while (open().length > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const late = open();
    for (const entry of late) this.#interrupt(entry);
    this.#save();
    return late.map(({ job }) => render(job.title));
  }

  #entry(jobId: string): Entry {
    const entry = this.#entries.get(jobId);
    if (!entry) throw new ContractError("JobNotFound", { jobId });
    return entry;
  }

  #running(lane: Lane): number {
    return [...this.#entries.values()].filter((entry) => entry.lane === lane && entry.job.state === "running")
      .length;
  }

  #progress(entry: Entry, done: number, total: number | null): void {
    if (!isOpenJob(entry.job)) return;
    entry.pace.add(this.#options.clock.now(), done);
    entry.job = {
      ...entry.job,
      doneBytes: Math.round(done),
      totalBytes: total === null ? null : Math.round(total),
      progress: total === null || total <= 0 ? null : Math.min(1, done / total),
      secondsLeft: total === null || entry.job.cancelling ? null : entry.pace.secondsLeft(total - done),
    };
    entry.cancelTelling ??= this.#options.clock.after(TELL_MS, () => {
      entry.cancelTelling = undefined;
      this.#options.onProgress(entry.job);
    });
  }

  #attributed(sentence: Sentence): Sentence {
    return attributedSentence(sentence, this.#options.names);
  }

  #log(entry: Entry, text: Sentence): void {
    if (entry.log.length >= MOST_LINES) return;
    const line = this.#attributed(bounded(text));
    entry.log.push({ at: this.#options.clock.now(), text: line });
    entry.isSaved = false;
    // A job that is over has no change to come that would save it, nor many lines
    if (!isOpenJob(entry.job)) return this.#save();
    // A guest may print hundreds of lines a second: each would be a transaction that everything else waits for
    this.#cancelSaving ??= this.#options.clock.after(TELL_MS, () => this.#save());
  }

  #fail(entry: Entry, thrown: unknown): unknown {
    const { signal } = entry.abort;
    const error = signal.aborted ? signal.reason : contractError(thrown, "LibvirtFailed", entry.job.command);
    if (signal.aborted) {
      // Why it ended is its cancelling; what else went wrong meanwhile is worth a line.
      if (thrown !== signal.reason) log.debug("a cancelled job ended", { job: entry.job.id, error: thrown });
      this.#end(entry, { state: "cancelled" });
    } else {
      const { code, sentence } = error instanceof ContractError
        ? attributedError(error, this.#options.names)
        : new ContractError("Internal");
      this.#end(entry, { state: "failed", error: { code, message: sentence } });
    }
    return error;
  }

  #end(entry: Entry, change: Partial<Job>): void {
    if (!isOpenJob(entry.job)) return;
    entry.cancelTelling?.();
    entry.start = undefined;
    this.#change(entry, {
      ...change,
      endedAt: this.#options.clock.now(),
      secondsLeft: null,
      cancellable: false,
      cancelling: false,
    });
    this.#next(entry.lane);
  }

  /** Gives a free place of a lane to the one that has waited longest. */
  #next(lane: Lane | undefined): void {
    if (lane === undefined || this.#stopping || this.#running(lane) >= LANES[lane]) return;
    const waiting = [...this.#entries.values()].find((entry) =>
      entry.lane === lane && entry.job.state === "queued" && !entry.job.cancelling
    );
    waiting?.start?.();
    // The one that has its place now runs at its next turn.
    void Promise.resolve().then(() => this.#tellWaiting(lane));
  }

  /** Titles of what runs in a lane. */
  #titlesIn(lane: Lane): Sentence[] {
    return [...this.#entries.values()].filter((entry) => entry.lane === lane && entry.job.state === "running")
      .map(({ job }) => job.title);
  }

  /** Says again what those wait for that still do. That is not stored: what waits at the end of a run waits no more. */
  #tellWaiting(lane: Lane): void {
    const waitsFor = this.#titlesIn(lane);
    const waiting = [...this.#entries.values()].filter(({ job, lane: its }) =>
      its === lane && job.state === "queued"
    );
    for (const entry of waiting) entry.job = { ...entry.job, waitsFor };
    if (waiting.length > 0) this.#options.onChanged(waiting.map(({ job }) => job));
  }

  #change(entry: Entry, change: Partial<Job>): void {
    const { waitsFor, place, ...job } = { ...entry.job, ...change };
    entry.job = job.state !== "queued" ? job : {
      ...job,
      ...(waitsFor !== undefined && { waitsFor }),
      ...(place !== undefined && { place }),
    };
    entry.isSaved = false;
    this.#save();
    this.#options.onChanged([entry.job]);
  }

  #interrupt(entry: Entry): void {
    this.#end(entry, {
      state: "interrupted",
      error: interruption(entry.advice),
    });
  }

  /** Writes what is not written yet; what cannot be written now is tried as soon as that may work. */
  #save(): void {
    this.#cancelSaving?.();
    this.#cancelSaving = undefined;
    const unsaved = [...this.#entries.values()].filter(({ isSaved }) => !isSaved);
    if (!this.#records.save(unsaved, this.#forgotten)) return this.#records.again(() => this.#save());
    this.#forgotten.clear();
    for (const entry of unsaved) entry.isSaved = true;
  }

  /** Takes up what an earlier run has left, behind what this one knows. */
  #takeUp(stored: readonly JobRecord[]): void {
    const known = [...this.#entries];
    this.#entries.clear();
    const ours = new Set(known.map(([id]) => id));
    for (const { job, log, advice } of stored) {
      if (ours.has(job.id)) continue;
      const entry: Entry = {
        job,
        log: [...log],
        advice,
        abort: new AbortController(),
        pace: new JobPace(),
        lane: undefined,
        admit: undefined,
        start: undefined,
        cancelTelling: undefined,
        isSaved: true,
      };
      if (isOpenJob(job)) {
        entry.isSaved = false;
        entry.job = {
          ...job,
          state: "interrupted",
          endedAt: this.#options.clock.now(),
          secondsLeft: null,
          cancellable: false,
          cancelling: false,
          error: interruption(advice),
        };
      }
      this.#entries.set(job.id, entry);
    }
    for (const [id, entry] of known) this.#entries.set(id, entry);
    for (const actor of new Set([...this.#entries.values()].map(({ job }) => job.actor))) {
      this.#forgetOldest(actor);
    }
  }

  /** Forgets what is too much: of an account its own oldest, of all the oldest of whoever has the most. */
  #forgetOldest(actor: string): void {
    const over = new Map<string, string[]>();
    const counts = new Map<string, number>();
    for (const [id, { job }] of this.#entries) {
      counts.set(job.actor, (counts.get(job.actor) ?? 0) + 1);
      if (isOpenJob(job)) continue;
      over.get(job.actor)?.push(id) ?? over.set(job.actor, [id]);
    }
    const forget = (of: string) => {
      const id = over.get(of)?.shift();
      if (id === undefined) return false;
      this.#entries.delete(id);
      this.#forgotten.add(id);
      counts.set(of, counts.get(of)! - 1);
      return true;
    };
    while (counts.get(actor)! > JOBS_KEPT.account && forget(actor));
    while (this.#entries.size > JOBS_KEPT.all) {
      const [most] = [...over].toSorted(([, a], [, b]) => b.length - a.length)[0] ?? [];
      if (most === undefined || !forget(most)) return; // all of them are open
    }
  }
}
