/**
 * A pool of call workers for one host. A call takes an idle worker; when a call has waited for one for a moment, or none
 * was idle for longer, a spare is started, so a quick call never waits behind a slow one, and quick calls alone do not
 * make the pool grow. Which calls may be made the gate decides (`call_gate.ts`). A call over its time limit fails and its
 * worker is given up: it ends by itself when libvirt returns, and only then the gate counts it as over.
 */
import { workerUrl } from "../lib/bundle.ts";
import type { LibvirtAddress } from "./address.ts";
import { askedOf, CallGate, type GatedCall } from "./call_gate.ts";
import { CALL_KINDS, type CallArgs, type CallName, type CallResult, CALLS } from "./calls/mod.ts";
import { LibvirtError } from "./error.ts";
import type { Pass } from "./gate.ts";
import { type FromWorker, OPENING_STATE, type ToWorker } from "./protocol.ts";

interface Job {
  readonly name: CallName;
  readonly args: unknown;
  readonly asked: GatedCall;
  /** Ends the waiting for a worker: the time limit holds for that, too. */
  queued: ReturnType<typeof setTimeout> | undefined;
  /** While libvirt is asked. */
  pass: Pass | undefined;
  resolve(value: unknown): void;
  reject(error: LibvirtError): void;
}

interface Member {
  readonly worker: Worker;
  job: Job | undefined;
  callId: number;
  timer: ReturnType<typeof setTimeout> | undefined;
  /** When its call counts as hanging. */
  overdue: ReturnType<typeof setTimeout> | undefined;
  idleSince: number;
  /** Whether its module is loaded: the limit of its first call begins only then. */
  isReady: boolean;
  /** See {@link OPENING_STATE}. */
  readonly opening: Int32Array<SharedArrayBuffer>;
}

/** Sizes of a pool. */
export interface PoolOptions {
  /** Workers kept warm. */
  readonly warm?: number;
  /** Most workers that take calls. The gate bounds them as well. */
  readonly most?: number;
  /** Milliseconds after which a worker beyond the warm ones ends. */
  readonly idleMs?: number;
  /** Time limits are multiplied by this: tests shorten them. */
  readonly timeScale?: number;
}

/** State of a pool, for `/debug` and tests. */
export interface WorkerPoolState {
  readonly workers: number;
  readonly busy: number;
  readonly queued: number;
  /** Workers whose call did not return within its limit and has not returned since. */
  readonly lost: number;
}

const DEFAULTS: Required<PoolOptions> = { warm: 1, most: 14, idleMs: 10_000, timeScale: 1 };

/** Milliseconds without an idle worker after which a spare is started for a call that waits. Most calls take one. */
const SPARE_MS = 10;
/** … and for one that may come: longer than the regular looks at a host take, for a worker costs 8 MB. */
const FORESIGHT_MS = 500;
/** Milliseconds in which a worker must have loaded its module. libvirt has no part in it, a busy machine has. */
const LOAD_MS = 120_000;

export class WorkerPool {
  #address: LibvirtAddress;
  readonly #options: Required<PoolOptions>;
  readonly #members = new Set<Member>();
  readonly #lost = new Set<Worker>();
  readonly #queue: Job[] = [];
  readonly #sweeper: ReturnType<typeof setInterval>;
  readonly #leave: () => void;
  #nextId = 1;
  #growing: ReturnType<typeof setTimeout> | undefined;
  /** When the last idle worker was taken. */
  #allBusySince = 0;
  #closed = false;

  /**
   * @param address of the libvirt that every worker connects to, when it gets its first call
   * @param gate of everything that goes to this libvirt
   */
  constructor(address: LibvirtAddress, options: PoolOptions = {}, readonly gate = new CallGate()) {
    this.#address = address;
    this.#options = { ...DEFAULTS, ...options };
    this.#leave = gate.onFreed(() => this.#closed || this.#dispatch());
    this.#grow();
    this.#sweeper = setInterval(() => this.#retireIdle(), this.#options.idleMs / 2);
  }

  get state(): WorkerPoolState {
    const busy = [...this.#members].filter((member) => member.job).length;
    return { workers: this.#members.size, busy, queued: this.#queue.length, lost: this.#lost.size };
  }

  /**
   * Runs a call on a worker.
   *
   * @throws {LibvirtError} kind `libvirt`: libvirt said no; `timeout`: over its limit; `lost`: the connection went
   * during it; `unavailable`: no connection; `silent`: what it is about does not respond; `busy`: too many calls hang.
   */
  call<N extends CallName>(
    name: N,
    ...[args]: CallArgs<N> extends undefined ? [] : [args: CallArgs<N>]
  ): Promise<CallResult<N>> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    if (this.#closed) {
      reject(new LibvirtError({ kind: "unavailable", message: "KVM Manager is stopping" }));
    } else {
      const job: Job = {
        name,
        args,
        asked: askedOf(name, args),
        queued: undefined,
        pass: undefined,
        resolve,
        reject,
      };
      this.#enqueue(job);
      this.#dispatch();
    }
    return promise as Promise<CallResult<N>>;
  }

  #enqueue(job: Job): void {
    this.#queue.push(job);
    const ms = CALLS[job.name].seconds * 1000 * this.#options.timeScale;
    job.queued = setTimeout(() => {
      const at = this.#queue.indexOf(job);
      if (at < 0) return;
      this.#queue.splice(at, 1);
      job.reject(new LibvirtError({ kind: "timeout", message: `no turn within ${ms / 1000} seconds` }));
    }, ms);
  }

  /** Takes everything that waits out of the queue. */
  #emptied(): Job[] {
    for (const { queued } of this.#queue) clearTimeout(queued);
    return this.#queue.splice(0);
  }

  /**
   * Fails calls that still wait for a connection, which libvirtd may take its time for: they are not made any more. Those
   * that have one are ended by its keep-alive.
   */
  abandonOpening(message: string): void {
    const unavailable = new LibvirtError({ kind: "unavailable", message });
    // What waits for a worker would have the next one wait for a connection; giving one back needs none
    for (const job of this.#emptied()) {
      if (job.name === "eventsClose") this.#enqueue(job);
      else job.reject(unavailable);
    }
    for (const member of [...this.#members]) {
      const { job } = member;
      if (job && abandon(member, OPENING_STATE.OPENING)) this.#giveUp(member, job, unavailable);
    }
  }

  /** Ends every worker; calls under way and waiting fail as `unavailable`. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#sweeper);
    clearTimeout(this.#growing);
    const stopping = new LibvirtError({ kind: "unavailable", message: "KVM Manager is stopping" });
    this.#leave();
    for (const job of this.#emptied()) job.reject(stopping);
    for (const member of this.#members) {
      clearTimeout(member.timer);
      clearTimeout(member.overdue);
      member.job?.reject(stopping);
      if (member.job) member.worker.terminate();
      else dismiss(member.worker);
    }
    for (const worker of this.#lost) worker.terminate();
    this.#members.clear();
    this.#lost.clear();
  }

  /** Gives waiting calls to idle workers, first come first served within what the gate admits. */
  #dispatch(): void {
    for (let index = 0; index < this.#queue.length;) {
      const job = this.#queue[index]!;
      const verdict = this.gate.admits(job.asked);
      const member = verdict === "go" ? this.#idle() : undefined;
      // Without an idle worker the rest is looked through all the same: what is refused is told at once
      if (verdict === "wait" || verdict === "go" && member === undefined) {
        index++;
        continue;
      }
      this.#queue.splice(index, 1);
      clearTimeout(job.queued);
      if (member === undefined) job.reject(verdict as LibvirtError);
      else this.#start(member, job);
    }
    this.#spare();
  }

  /** Starts a worker if none is idle now nor in a moment, and one is needed or soon may be. */
  #spare(): void {
    if (this.#idle() || this.#members.size >= this.#options.most || this.#growing !== undefined) return;
    this.#growing = setTimeout(() => {
      this.#growing = undefined;
      if (this.#closed || this.#idle() || this.#members.size >= this.#options.most) return;
      const isSlow = performance.now() - this.#allBusySince > FORESIGHT_MS;
      const needed = this.#queue.length > 0 || isSlow && !this.#onlyStats;
      if (!needed) return this.#spare();
      this.#grow();
      this.#dispatch();
    }, SPARE_MS);
  }

  /**
   * Whether statistics alone are being read, as every half minute without listeners: of many VMs that takes longer than
   * the foresight, and would start a worker each time, to no use.
   */
  get #onlyStats(): boolean {
    if (this.#members.size === 0) return false;
    for (const { job } of this.#members) if (job && CALLS[job.name].kind !== "stats") return false;
    return true;
  }

  #idle(): Member | undefined {
    for (const member of this.#members) if (!member.job) return member;
  }

  #start(member: Member, job: Job): void {
    member.job = job;
    member.callId = this.#nextId++;
    // An open that failed leaves its state behind, which would be taken for one of this call
    Atomics.store(member.opening, 0, OPENING_STATE.NONE);
    job.pass = this.gate.begin(job.asked);
    this.#limit(member, job);
    const message: ToWorker = { type: "call", id: member.callId, name: job.name, args: job.args };
    member.worker.postMessage(message);
    if (!this.#idle()) this.#allBusySince = performance.now();
  }

  /** Limits how long a call may take; while the worker still loads, how long that may take. */
  #limit(member: Member, job: Job): void {
    const { seconds, kind } = CALLS[job.name], scale = this.#options.timeScale * 1000;
    const ms = member.isReady ? seconds * scale : LOAD_MS;
    clearTimeout(member.timer);
    clearTimeout(member.overdue);
    const overdueMs = CALL_KINDS[kind].overdue * scale;
    if (member.isReady && overdueMs < ms) member.overdue = setTimeout(() => job.pass?.overdue(), overdueMs);
    member.timer = setTimeout(() => {
      // One that still waits, be it for its connection, is not made later, when it is not expected any more
      abandon(member, OPENING_STATE.NONE, OPENING_STATE.OPENING);
      const message = `no answer within ${ms / 1000} seconds`;
      this.#giveUp(member, job, new LibvirtError({ kind: "timeout", message }));
    }, ms);
  }

  #finish(member: Member): Job | undefined {
    const { job } = member;
    if (!job) return undefined;
    clearTimeout(member.timer);
    clearTimeout(member.overdue);
    member.job = undefined;
    member.idleSince = performance.now();
    return job;
  }

  #giveUp(member: Member, job: Job, error: LibvirtError): void {
    this.#finish(member);
    this.#members.delete(member);
    this.#lost.add(member.worker);
    // Only its return can tell that the hang is over; terminating it now would leave the thread and its connection
    // behind without a trace.
    const { pass } = job;
    const forget = (answered: boolean) => {
      this.#lost.delete(member.worker);
      dismiss(member.worker);
      pass?.returned(answered);
    };
    // A worker that was slow to start tells "ready" only now: that is no return.
    member.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.type !== "ready") forget(isAnswer(data));
    };
    member.worker.onerror = (event) => {
      event.preventDefault();
      forget(false);
    };
    job.reject(error);
    pass?.overdue();
    this.#dispatch();
  }

  /** The libvirt that workers connect to: another user or password holds from the next connection of each on. */
  set address(address: LibvirtAddress) {
    this.#address = address;
    for (const member of this.#members) this.#tellAddress(member);
  }

  #tellAddress({ worker, opening }: Member): void {
    const open: ToWorker = { type: "open", address: this.#address, opening };
    worker.postMessage(open);
  }

  #grow(): Member {
    const worker = new Worker(workerUrl("ffi/worker.ts"), { type: "module", name: "libvirt" });
    const member: Member = {
      worker,
      job: undefined,
      callId: 0,
      timer: undefined,
      overdue: undefined,
      idleSince: performance.now(),
      isReady: false,
      opening: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)),
    };
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.type === "ready") {
        member.isReady = true;
        if (member.job) this.#limit(member, member.job);
        return;
      }
      if (data.id !== member.callId) return;
      const job = this.#finish(member);
      if (data.type === "result") job?.resolve(data.value);
      else job?.reject(new LibvirtError(data.failure));
      // The gate dispatches what waits
      job?.pass?.returned(isAnswer(data));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      const job = this.#finish(member);
      this.#members.delete(member);
      worker.terminate();
      job?.reject(new LibvirtError({ kind: "lost", message: `the libvirt worker failed: ${event.message}` }));
      job?.pass?.returned(false);
      // A worker that cannot start would fail again at once; the next call starts another.
    };
    this.#tellAddress(member);
    this.#members.add(member);
    return member;
  }

  #retireIdle(): void {
    const before = performance.now() - this.#options.idleMs;
    for (const member of this.#members) {
      if (this.#members.size <= this.#options.warm) return;
      if (member.job || member.idleSince > before) continue;
      this.#members.delete(member);
      dismiss(member.worker);
    }
  }
}

/** Gives up a call that stands in one of these states. @returns false where it stands in none: it is on its way */
function abandon({ opening }: Member, ...states: readonly number[]): boolean {
  return states.some((state) =>
    Atomics.compareExchange(opening, 0, state, OPENING_STATE.ABANDONED) === state
  );
}

/** Whether libvirt has answered: it did not where the connection was lost or never made. */
const isAnswer = (data: Exclude<FromWorker, { type: "ready" }>): boolean =>
  data.type === "result" || data.failure.kind === "libvirt";

/** Ends an idle worker in good order: it closes its connection first. */
function dismiss(worker: Worker): void {
  const message: ToWorker = { type: "close" };
  worker.postMessage(message);
}
