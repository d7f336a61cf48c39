/**
 * The link to one libvirt: whether it answers, its events, and calls on it. It reconnects by itself with back-off
 * and tells when it has, so that everything can be read again.
 */
import { askedOf, CallGate } from "../../ffi/call_gate.ts";
import {
  type CallArgs,
  type CallName,
  type CallResult,
  CALLS,
  type PoolRecord,
  type VolumeRecord,
} from "../../ffi/calls/mod.ts";
import type { VolumePlace } from "../../ffi/connection.ts";
import type { LibvirtAccount, LibvirtAddress, LibvirtLogin } from "../../ffi/address.ts";
import { LibvirtError } from "../../ffi/error.ts";
import { SignInAnswers } from "../../ffi/sign_in_answers.ts";
import { allowSignIn } from "../../ffi/sign_in_turns.ts";
import { type EventLoop, startEventLoop } from "../../ffi/event_loop.ts";
import type { LibvirtEvent } from "../../ffi/events.ts";
import { SchemaCheck } from "../../ffi/schema_check.ts";
import { ConsoleStreams } from "../../ffi/streams.ts";
import { Subscription } from "../../ffi/subscription.ts";
import { type PoolOptions, WorkerPool, type WorkerPoolState } from "../../ffi/worker_pool.ts";
import { type ConnectionStatus, errorText } from "../../lib/contract/mod.ts";
import { type Clock, SYSTEM_CLOCK } from "../clock.ts";
import { log } from "../log.ts";
import { type LocalMachine, localMachine } from "../machine/machine.ts";
import { within } from "../within.ts";
import { withFreeNodes } from "./block_nodes.ts";
import type { Simulation } from "./simulation.ts";
import { poolNamesInFiles } from "./pool_files.ts";
import { listPools } from "./pool_list.ts";
import { failureText } from "./host_certificate.ts";
import { RetryPauses, unavailableText } from "./unavailable.ts";
import { connectionUri } from "./uri.ts";

/** Makes calls on a libvirt. @throws {LibvirtError} */
export type LibvirtCaller = <N extends CallName>(
  name: N,
  ...args: CallArgs<N> extends undefined ? [] : [args: CallArgs<N>]
) => Promise<CallResult<N>>;

/** Callbacks of the link to its owner. */
export interface LinkListener {
  /** The status changed. */
  status(status: ConnectionStatus): void;
  /** Why a connection that was made must not be used, a sentence for people; undefined where it may. @throws {LibvirtError} */
  refusal?(call: LibvirtCaller): Promise<string | undefined>;
  /** A connection was made, with all events registered: read everything, older knowledge may be wrong. */
  connected(): void;
  events(events: LibvirtEvent[]): void;
  /** A call of ours made a volume: libvirt sends no event for that. */
  volumeMade?(record: VolumeRecord): void;
  /** A call of ours deleted the volume at a path. */
  volumeGone?(path: string): void;
  /** Asks a VM that did not answer whether it does by now. */
  recheck?(uuid: string): Promise<void>;
  /** The pools as last read; undefined before the first time. */
  pools?(): readonly PoolRecord[] | undefined;
  /** The pool whose volume a path is, as far as that is known. */
  poolOf?(path: string): string | undefined;
}

/** Milliseconds between looks whether libvirt answers, and without an answer after which it is asked for one. */
const WATCH_MS = 2000, QUIET_MS = 4000;
/** Milliseconds it has for that. It needs a free worker for it: its keep-alive answers without. */
const ANSWER_MS = 4000;
/** Milliseconds the stop waits for libvirt to take the subscription back. */
const CLOSE_MS = 1000;

const NOT_ANSWERING =
  "Libvirtd accepts connections but does not answer. Running VMs go on. If it stays so, restart it " +
  "(systemctl restart libvirtd).";

export class LibvirtLink {
  readonly uri: string;
  /** The machine that libvirt runs on, where it is ours. */
  readonly machine: LocalMachine | null;
  /** Serial consoles: streams, which need this link's event loop. */
  readonly consoles: Pick<ConsoleStreams, "open">;
  /** Answers for what its libvirt lacks. */
  readonly simulation: Simulation | undefined;
  readonly #streams: ConsoleStreams;
  /** Everything that goes to this libvirt passes it. */
  readonly gate = new CallGate();
  /** libvirt's schemas of domains. */
  readonly schema = new SchemaCheck();
  readonly #listener: LinkListener;
  readonly #pool: WorkerPool;
  #subscription: Subscription | undefined;
  #loop: EventLoop | undefined;
  #status: ConnectionStatus;
  readonly #pauses = new RetryPauses();
  /** Counts attempts to connect: one that another has followed decides nothing any more. */
  #attempt = 0;
  #address: LibvirtAddress;
  #login: LibvirtLogin | undefined;
  #answers: SignInAnswers | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;
  #watching: ReturnType<typeof setInterval> | undefined;
  /** When it was asked for an answer that has not come. */
  #unansweredSince: number | undefined;
  readonly #watchers = new Set<(event: LibvirtEvent) => void>();

  /**
   * @param account the login for libvirt, if it is not in `uri`
   * @param simulation answers for parts that its libvirt lacks
   */
  constructor(
    uri: string,
    listener: LinkListener,
    options: PoolOptions = {},
    account: LibvirtAccount = { uri: connectionUri(uri) },
    simulation?: Simulation,
    private readonly clock: Pick<Clock, "now"> = SYSTEM_CLOCK,
  ) {
    this.uri = uri;
    this.machine = localMachine(uri);
    this.simulation = simulation;
    this.#address = simulation?.address ?? this.#addressOf(account);
    this.#streams = new ConsoleStreams(this.#address, this.gate, (error) => this.#onOpenFailed(error));
    this.consoles = simulation === undefined
      ? this.#streams
      : { open: (target, listener) => simulation.openConsole(target, listener) };
    this.#listener = listener;
    this.#pool = new WorkerPool(this.#address, options, this.gate);
    this.#status = {
      connected: false,
      uri: connectionUri(uri),
      error: null,
      status: "connecting",
      since: this.clock.now(),
    };
  }

  get status(): ConnectionStatus {
    return this.#status;
  }

  #addressOf({ uri, login }: LibvirtAccount): LibvirtAddress {
    this.#answers?.leave();
    this.#login = login;
    this.#answers = login && new SignInAnswers(login);
    return this.#answers === undefined ? { uri } : { uri, signIn: this.#answers.signIn };
  }

  /** Login for libvirt, if it asks for one. */
  get login(): LibvirtLogin | undefined {
    return this.#login;
  }

  /** Address that libvirt is connected by. */
  get address(): LibvirtAddress {
    return this.#address;
  }

  get poolState(): WorkerPoolState {
    return this.#pool.state;
  }

  /** Connects, and keeps connecting until stopped. */
  start(): void {
    void this.#try();
  }

  /** Tries to connect once; where it fails, again after a pause. */
  async #try(): Promise<void> {
    if (this.#stopped) return;
    const attempt = ++this.#attempt;
    allowSignIn(this.#address.signIn?.cells);
    try {
      this.#loop ??= startEventLoop((error) => log.warn("libvirt's event loop failed", { error }));
    } catch (error) {
      if (!(error instanceof LibvirtError)) throw error;
      return this.#disconnected(error.message);
    }
    try {
      await this.#connect(this.#loop, attempt);
    } catch (error) {
      if (attempt !== this.#attempt) return;
      if (!(error instanceof LibvirtError)) log.error("connecting failed unexpectedly", { error });
      const text = error instanceof LibvirtError
        ? await failureText(error, this.uri, this.clock)
        : String(error);
      if (attempt === this.#attempt) this.#disconnected(text);
    }
  }

  /**
   * Calls libvirt. While the link is down it fails at once instead of hanging.
   *
   * @throws {LibvirtError}
   */
  call<N extends CallName>(
    name: N,
    ...args: CallArgs<N> extends undefined ? [] : [args: CallArgs<N>]
  ): Promise<CallResult<N>> {
    // The way out is there also while libvirtd answers nothing else
    const isWayOut = CALLS[name].kind === "rescue" && this.#subscription !== undefined;
    if (!this.#status.connected && !isWayOut) {
      const message = this.#status.error ?? errorText("LibvirtUnavailable");
      return Promise.reject(new LibvirtError({ kind: "unavailable", message }));
    }
    log.debug("libvirt call", { call: name });
    if (name === "poolScan") return this.#allPools() as Promise<CallResult<N>>;
    const placed = this.#placed(args);
    return this.#told(name, placed[0], async () => {
      const doubt = this.gate.doubtFor(askedOf(name, placed[0]));
      if (doubt !== undefined) await this.#listener.recheck?.(doubt.slice("vm:".length));
      try {
        return await this.#answer(name, placed);
      } catch (error) {
        this.#onOpenFailed(error);
        throw error;
      }
    });
  }

  /** Answer of the pool, or of the simulation. @throws {LibvirtError} */
  #answer<N extends CallName>(
    name: N,
    args: CallArgs<N> extends undefined ? [] : [args: CallArgs<N>],
  ): Promise<CallResult<N>> {
    if (this.simulation === undefined) return this.#pool.call(name, ...args);
    const ask = (...given: unknown[]) => this.#pool.call(name, ...given as typeof args);
    return this.simulation.call(name, args[0] as CallArgs<N>, ask);
  }

  /**
   * A further connection was not let in, where the first still is: the password is another one by now. The link ends then,
   * for each further connection would be one more refusal.
   */
  #onOpenFailed(error: unknown): void {
    if (!(error instanceof LibvirtError) || error.signIn === undefined || !this.#status.connected) return;
    void this.#unsubscribe();
    this.#disconnected(unavailableText(error, this.uri));
  }

  #allPools(): Promise<PoolRecord[]> {
    return listPools({
      gate: this.gate,
      all: () => this.#answer("poolScan", []),
      one: (pool) => this.#answer("poolRead", [{ pool }]),
      known: () => this.#listener.pools?.(),
      names: async () => this.machine?.isSystem ? await poolNamesInFiles() : undefined,
    });
  }

  /** Path of a volume, with its pool if known. */
  placeOf(path: string): VolumePlace {
    const pool = this.#listener.poolOf?.(path);
    return pool === undefined ? { path } : { path, pool };
  }

  /** Adds the pool to a volume's path: without it libvirt looks through all pools, and waits for one that hangs. */
  #placed<A extends readonly unknown[]>(args: A): A {
    const [first] = args;
    if (typeof first !== "object" || first === null || !("path" in first) || "pool" in first) return args;
    return [{ ...first, ...this.placeOf(String(first.path)) }] as unknown as A;
  }

  /** Passes a call's result on, telling what it did to volumes. */
  async #told<N extends CallName>(
    name: N,
    args: unknown,
    call: () => Promise<CallResult<N>>,
  ): Promise<CallResult<N>> {
    const result = await withFreeNodes(name, call);
    if (name === "volumeCreate" || name === "volumeCopy") this.#listener.volumeMade?.(result as VolumeRecord);
    if (name === "volumeDelete") this.#listener.volumeGone?.((args as CallArgs<"volumeDelete">).path);
    return result;
  }

  /** Passes every event on from now on, until what it gives is called. For whoever waits for one. */
  watch(watcher: (event: LibvirtEvent) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Tries to connect now, where it would wait before it tries again. Done when that has succeeded or failed. */
  async retry(): Promise<void> {
    if (this.#stopped || this.#status.connected) return;
    clearTimeout(this.#timer);
    await this.#try();
  }

  /** Reconnects as this user; without one, as the user that libvirt assumes. Done as {@link retry} is. */
  async signInAs(login: LibvirtLogin | undefined): Promise<void> {
    this.#address = this.#addressOf({ uri: this.#address.uri, ...(login && { login }) });
    this.#pool.address = this.#streams.address = this.#address;
    this.#pauses.reset();
    if (this.#status.connected) await this.reconnect("KVM Manager signs in to libvirt.");
    await this.retry();
  }

  /** Closes the connection and opens another one. @param reason text for people meanwhile */
  async reconnect(reason: string): Promise<void> {
    await this.#unsubscribe();
    this.#disconnected(reason);
  }

  /** Deregisters, closes the connections, ends the workers and the event loop. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearInterval(this.#watching);
    this.schema.end();
    await this.#streams.stop();
    // A frozen libvirtd does not answer; the process ends all the same.
    await within(CLOSE_MS, this.#unsubscribe());
    this.#pool.close();
    this.#answers?.leave();
    await within(2 * CLOSE_MS, this.#loop?.stop());
  }

  /** @throws {LibvirtError} */
  async #connect(loop: EventLoop, attempt: number): Promise<void> {
    this.#unsubscribe();
    const subscription = await Subscription.open(this.#pool, loop, {
      event: (event) => {
        for (const watcher of this.#watchers) watcher(event);
        this.#listener.events([event]);
      },
      lost: (reason) => this.#onLost(reason),
    });
    if (attempt !== this.#attempt) return await this.#giveBack(subscription);
    this.#subscription = subscription;
    if (this.#stopped) return await this.#unsubscribe();
    const refusal = await this.#listener.refusal?.((name, ...args) => this.#pool.call(name, ...args));
    if (this.#stopped || attempt !== this.#attempt) return await this.#unsubscribe();
    if (refusal !== undefined) {
      await this.#unsubscribe();
      throw new LibvirtError({ kind: "unavailable", message: refusal });
    }
    this.#pauses.reset();
    this.#unansweredSince = undefined;
    this.#setStatus({ connected: true, error: null, status: "connected" });
    this.#listener.connected();
    clearInterval(this.#watching);
    this.#watching = setInterval(() => void this.#watch(), WATCH_MS);
  }

  /** Finds out whether libvirt still answers, and tells when it does not, and when it does again. */
  async #watch(): Promise<void> {
    if (this.#subscription === undefined) return;
    const now = performance.now(), asked = this.#unansweredSince;
    if (asked !== undefined) {
      if (this.gate.answeredAt > asked) {
        this.#unansweredSince = undefined;
        if (this.#status.connected) return;
        this.#setStatus({ connected: true, error: null, status: "connected" });
        return this.#listener.connected();
      }
      if (now - asked < ANSWER_MS || !this.#status.connected) return;
      log.warn("libvirt does not answer", { uri: this.uri });
      return this.#setStatus({ connected: false, error: NOT_ANSWERING, status: "disconnected" });
    }
    if (now - this.gate.answeredAt < QUIET_MS) return;
    this.#unansweredSince = now;
    try {
      await this.#pool.call("libvirtVersion");
    } catch (error) {
      // That it did not return is seen at the next look; a lost connection is told by its own event
      log.debug("libvirt was asked for an answer", { error });
    }
  }

  #onLost(reason: string): void {
    log.warn("the connection to libvirt was lost", { uri: this.uri, reason });
    this.#disconnected(
      reason.startsWith("keep-alive") ? "Libvirtd does not answer." : errorText("LibvirtUnavailable"),
    );
  }

  /** Gives the subscription back, if there is one. A failure has no remedy. */
  async #unsubscribe(): Promise<void> {
    const subscription = this.#subscription;
    this.#subscription = undefined;
    if (subscription !== undefined) await this.#giveBack(subscription);
  }

  async #giveBack(subscription: Subscription): Promise<void> {
    try {
      await subscription.close();
    } catch (error) {
      log.debug("the subscription could not be given back", { error });
    }
  }

  #disconnected(error: string): void {
    if (this.#stopped) return;
    this.#unansweredSince = undefined;
    this.#setStatus({ connected: false, error, status: "disconnected" });
    this.#pool.abandonOpening(error);
    const pause = this.#pauses.next(error);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.start(), pause * (0.8 + Math.random() * 0.4));
  }

  #setStatus(next: Pick<ConnectionStatus, "connected" | "error" | "status">): void {
    const old = this.#status;
    if (old.status === next.status && old.error === next.error) return;
    this.#status = {
      ...next,
      uri: connectionUri(this.uri),
      since: old.status === next.status ? old.since : this.clock.now(),
    };
    log.info("libvirt", { status: next.status, uri: this.uri, error: next.error ?? undefined });
    this.#listener.status(this.#status);
  }
}
