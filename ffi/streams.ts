/**
 * Consoles and channels of domains: byte streams both ways. Opening and closing one may hang with its VM, and each has a worker
 * to itself meanwhile (`stream_openers.ts`). One worker reads and writes them all. It is started with the first one and ended
 * a moment after the last: it costs 7 MB. libvirt's event loop must run (`event_loop.ts`).
 */
import type { LibvirtAddress } from "./address.ts";
import { workerUrl } from "../lib/bundle.ts";
import { LibvirtError } from "./error.ts";
import type { Gate, Pass } from "./gate.ts";
import { type OpenOutcome, StreamOpeners } from "./stream_openers.ts";
import type { ConsoleTarget, FromStreamWorker, HeldStream, ToStreamWorker } from "./stream_protocol.ts";
import { StreamTurns } from "./stream_turns.ts";

export type { ConsoleTarget } from "./stream_protocol.ts";

/** Told what a console says. */
export interface ConsoleListener {
  data(bytes: Uint8Array<ArrayBuffer>): void;
  /** It ended by itself: null at its end, else why it broke. Not told after `close()`. */
  ended(failure: LibvirtError | null): void;
}

/** An open console. */
export interface ConsoleStream {
  /** Sends to the guest. libvirt takes all it is given and keeps it until the guest reads: bound what you send. */
  write(bytes: Uint8Array): void;
  /** Closes it; done when libvirt has let go of it and another may open it. */
  close(): Promise<void>;
}

/** Milliseconds an open may take: libvirtd may be frozen. */
const OPEN_MS = 15_000;
/** Milliseconds a close is waited for. */
const CLOSE_MS = 3000;
/** Milliseconds the worker is kept without a console: who reloads a page is back at once. */
const IDLE_MS = 5000;

interface Member {
  readonly uuid: string;
  readonly listener: ConsoleListener;
  readonly opened: PromiseWithResolvers<void>;
  readonly shut: PromiseWithResolvers<void>;
  /** `failed`: given up by who opened it; what comes later is closed at once. */
  state: "opening" | "open" | "failed" | "closing";
  /** Stream that libvirt opened, and the worker that reads it, if it came in time. */
  stream: { readonly held: HeldStream; readonly worker: Worker | undefined } | undefined;
}

export class ConsoleStreams {
  readonly #gate: Gate;
  readonly #openers: StreamOpeners;
  readonly #turns = new StreamTurns();
  readonly #members = new Map<number, Member>();
  #worker: Worker | undefined;
  #nextId = 1;
  #isStopped = false;
  #idle: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param gate asked before each open
   * @param onRefused told why libvirt has not opened one
   */
  constructor(
    address: LibvirtAddress,
    gate: Gate,
    private readonly onRefused: (error: LibvirtError) => void = () => {},
  ) {
    this.#openers = new StreamOpeners(address);
    this.#gate = gate;
  }

  /** The libvirt that is connected to from now on. */
  set address(address: LibvirtAddress) {
    this.#openers.address = address;
  }

  /** Whether there is a worker. */
  get running(): boolean {
    return this.#worker !== undefined;
  }

  /**
   * Opens a domain's first console, or a channel.
   *
   * @throws {LibvirtError} kind `silent`, `busy`: libvirt is not asked, because what was asked before does not return;
   * `timeout`: what it opens later is closed at once
   */
  async open(target: ConsoleTarget, listener: ConsoleListener): Promise<ConsoleStream> {
    const { uuid, channel } = target;
    const begun = performance.now();
    const returned = await this.#turns.toOpen(uuid, OPEN_MS);
    if (this.#isStopped) {
      returned();
      throw stopping();
    }
    let pass: Pass;
    try {
      pass = await this.#gate.enter(channel === undefined ? "consoleOpen" : "channelOpen", uuid);
    } catch (error) {
      returned();
      throw error;
    }
    clearTimeout(this.#idle);
    this.#worker ??= this.#start(); // it loads meanwhile
    const id = this.#nextId++;
    const member: Member = {
      uuid,
      listener,
      opened: Promise.withResolvers(),
      shut: Promise.withResolvers(),
      state: "opening",
      stream: undefined,
    };
    this.#members.set(id, member);
    const opening = this.#openers.open(target);
    void opening.outcome.then((outcome) => {
      pass.returned(isAnswer(outcome));
      returned();
      this.#settle(id, member, outcome);
    });
    const limit = setTimeout(() => {
      if (member.stream === undefined) pass.overdue();
      fail(
        member,
        new LibvirtError({ kind: "timeout", message: `no answer within ${OPEN_MS / 1000} seconds` }),
      );
    }, Math.max(0, OPEN_MS - (performance.now() - begun)));
    try {
      await member.opened.promise;
    } catch (error) {
      opening.abandon();
      throw error;
    } finally {
      clearTimeout(limit);
    }
    return {
      write: (bytes) => {
        if (member.state === "open") this.#post(member, { type: "write", id, bytes });
      },
      close: () => this.#close(id, member),
    };
  }

  /** Ends everything, before the event loop is. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#idle);
    await Promise.all([...this.#members].map(([id, member]) => this.#close(id, member)));
    this.#openers.stop();
    this.#end();
  }

  async #close(id: number, member: Member): Promise<void> {
    fail(member, stopping()); // only a stop closes what is being opened
    if (member.state === "open") this.#unwatch(id, member);
    let limit: ReturnType<typeof setTimeout> | undefined;
    await Promise.race([
      member.shut.promise,
      new Promise((resolve) => limit = setTimeout(resolve, CLOSE_MS)),
    ]);
    clearTimeout(limit);
  }

  /** Takes what an opener brought. */
  #settle(id: number, member: Member, outcome: OpenOutcome): void {
    if (outcome.type === "refused") {
      this.#forget(id, member);
      const error = new LibvirtError(outcome.failure);
      this.onRefused(error);
      return fail(member, error);
    }
    const isLate = member.state !== "opening";
    const worker = isLate ? undefined : this.#worker ??= this.#start();
    member.stream = { held: outcome.held, worker };
    if (isLate) return void this.#giveBack(id, member);
    this.#post(member, { type: "watch", id, stream: outcome.held.stream });
  }

  #unwatch(id: number, member: Member): void {
    member.state = "closing";
    this.#post(member, { type: "unwatch", id });
  }

  /** Closes what no worker touches any more, once. */
  async #giveBack(id: number, member: Member): Promise<void> {
    const { stream } = member;
    member.stream = undefined;
    if (stream === undefined) return;
    const returned = await this.#turns.toClose();
    const pass = await this.#passForClosing(member.uuid);
    const limit = setTimeout(() => pass?.overdue(), CLOSE_MS);
    const answered = await this.#openers.close(stream.held);
    clearTimeout(limit);
    pass?.returned(answered);
    returned();
    this.#forget(id, member);
  }

  /** A pass, where there is one: what is open is closed in any case. */
  async #passForClosing(uuid: string): Promise<Pass | undefined> {
    try {
      return await this.#gate.enter("streamAbort", uuid);
    } catch (error) {
      if (error instanceof LibvirtError) return undefined;
      throw error;
    }
  }

  #post(member: Member, message: ToStreamWorker): void {
    member.stream?.worker?.postMessage(message);
  }

  #start(): Worker {
    const worker = new Worker(workerUrl("ffi/stream_worker.ts"), { type: "module", name: "libvirt streams" });
    worker.onmessage = ({ data }: MessageEvent<FromStreamWorker>) => this.#receive(worker, data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#broken(worker, `the stream worker failed: ${event.message}`);
    };
    return worker;
  }

  #receive(worker: Worker, message: FromStreamWorker): void {
    if (message.type === "closed") return worker.terminate();
    const { id } = message, member = this.#members.get(id);
    if (!member) return;
    switch (message.type) {
      case "watching":
        if (member.state !== "opening") return this.#unwatch(id, member); // too late
        member.state = "open";
        return member.opened.resolve();
      case "refused":
        fail(member, new LibvirtError(message.failure));
        return void this.#giveBack(id, member);
      case "data":
        if (member.state === "open") member.listener.data(message.bytes);
        return this.#post(member, { type: "took", id, bytes: message.bytes.length });
      case "ended":
        if (member.state === "open") {
          member.listener.ended(message.failure && new LibvirtError(message.failure));
        }
        return;
      case "unwatched":
        return void this.#giveBack(id, member);
    }
  }

  #forget(id: number, member: Member): void {
    this.#members.delete(id);
    member.shut.resolve();
    if (this.#members.size > 0) return;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#end(), IDLE_MS);
  }

  /** Ends the worker in good order: it says when no callback of its can be called any more. */
  #end(): void {
    clearTimeout(this.#idle);
    const message: ToStreamWorker = { type: "close" };
    this.#worker?.postMessage(message);
    this.#worker = undefined;
  }

  #broken(worker: Worker, message: string): void {
    worker.terminate();
    if (this.#worker === worker) this.#worker = undefined;
    const failure = new LibvirtError({ kind: "lost", message });
    for (const [id, member] of [...this.#members]) {
      if (member.stream?.worker !== worker) continue;
      if (member.state === "open") member.listener.ended(failure);
      fail(member, failure);
      member.state = "closing";
      void this.#giveBack(id, member);
    }
  }
}

/** Ends an open that is under way; any other is as it was. */
function fail(member: Member, error: LibvirtError): void {
  if (member.state !== "opening") return;
  member.state = "failed";
  member.opened.reject(error);
}

/** Whether it was libvirt that answered. */
const isAnswer = (outcome: OpenOutcome) =>
  outcome.type === "opened" || outcome.failure.kind === "libvirt" || outcome.failure.kind === "timeout";

const stopping = () => new LibvirtError({ kind: "unavailable", message: "KVM Manager is stopping" });
