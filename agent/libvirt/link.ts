/**
 * The link to one libvirt: whether it answers, its events, and calls on it. It reconnects by itself with back-off
 * and tells when it has, so that everything can be read anew.
 */
import type { CallArgs, CallName, CallResult } from "../../ffi/calls/mod.ts";
import { LibvirtError, VIR_ERR } from "../../ffi/error.ts";
import { startEventLoop } from "../../ffi/event_loop.ts";
import type { LibvirtEvent } from "../../ffi/events.ts";
import type { FromEventWorker, ToEventWorker } from "../../ffi/protocol.ts";
import { ConsoleStreams } from "../../ffi/streams.ts";
import { type PoolOptions, type PoolState, WorkerPool } from "../../ffi/worker_pool.ts";
import { workerUrl } from "../../lib/bundle.ts";
import { type ConnectionStatus, errorText } from "../../lib/contract/mod.ts";
import { log } from "../log.ts";

/** What the link tells its owner. */
export interface LinkListener {
  /** The status changed. */
  status(status: ConnectionStatus): void;
  /** A connection was made, with all events registered: read everything, older knowledge may be wrong. */
  connected(): void;
  events(events: LibvirtEvent[]): void;
}

/** Pauses between attempts, in milliseconds; the last one repeats. */
const BACKOFF_MS = [100, 250, 500, 1000, 2000, 3000];
/** An attempt that takes longer is given up: a frozen libvirtd accepts a connection and never answers. */
const CONNECT_MS = 15_000;

/** Why libvirt cannot be reached, in words a person can act on. */
export function unavailableText(error: LibvirtError): string {
  const denied = error.code === VIR_ERR.AUTH_UNAVAILABLE || error.code === VIR_ERR.AUTH_CANCELLED ||
    error.code === VIR_ERR.AUTH_FAILED || error.code === VIR_ERR.ACCESS_DENIED ||
    /permission denied/i.test(error.message);
  if (denied) return errorText("PermissionDenied");
  if (/No such file or directory|Connection refused/i.test(error.message)) {
    return errorText("LibvirtUnavailable");
  }
  return error.message;
}

export class LibvirtLink {
  readonly uri: string;
  /** Serial consoles: streams, which need this link's event loop. */
  readonly consoles: ConsoleStreams;
  readonly #listener: LinkListener;
  readonly #pool: WorkerPool;
  #worker: Worker | undefined;
  #loop: { stop: () => Promise<void> } | undefined;
  #status: ConnectionStatus;
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;
  #onClosed: (() => void) | undefined;

  constructor(uri: string, listener: LinkListener, options: PoolOptions = {}) {
    this.uri = uri;
    this.consoles = new ConsoleStreams(uri);
    this.#listener = listener;
    this.#pool = new WorkerPool(uri, options);
    this.#status = { connected: false, uri, error: null, status: "connecting", since: Date.now() };
  }

  get status(): ConnectionStatus {
    return this.#status;
  }

  get poolState(): PoolState {
    return this.#pool.state;
  }

  /** Connects, and keeps connecting until stopped. */
  start(): void {
    if (this.#stopped) return;
    try {
      this.#loop ??= startEventLoop((error) => log.warn("libvirt's event loop failed", { error }));
      this.#connect();
    } catch (error) {
      if (!(error instanceof LibvirtError)) throw error;
      this.#disconnected(error.message);
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
    if (!this.#status.connected) {
      const message = this.#status.error ?? errorText("LibvirtUnavailable");
      return Promise.reject(new LibvirtError({ kind: "unavailable", message }));
    }
    return this.#pool.call(name, ...args);
  }

  /** Deregisters, closes the connections, ends the workers and the event loop. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.consoles.stop();
    if (this.#worker) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onClosed = resolve;
      this.#post({ type: "close" });
      // A worker that is stuck in a frozen libvirtd cannot answer; the process ends all the same.
      const limit = setTimeout(resolve, 1000);
      await promise;
      clearTimeout(limit);
    }
    this.#pool.close();
    let limit: ReturnType<typeof setTimeout> | undefined;
    await Promise.race([
      this.#loop?.stop(),
      new Promise((resolve) => limit = setTimeout(resolve, 2000)),
    ]);
    clearTimeout(limit);
    // Not before the loop has ended: a turn that is under way may still be in one of the worker's callbacks.
    this.#worker?.terminate();
  }

  #post(message: ToEventWorker): void {
    this.#worker?.postMessage(message);
  }

  #connect(): void {
    if (!this.#worker) {
      this.#worker = new Worker(workerUrl("ffi/event_worker.ts"), { type: "module", name: "libvirt events" });
      this.#worker.onmessage = ({ data }: MessageEvent<FromEventWorker>) => this.#receive(data);
      this.#worker.onerror = (event) => {
        event.preventDefault();
        this.#abandonWorker(`the event worker failed: ${event.message}`);
      };
    }
    this.#post({ type: "connect", uri: this.uri });
    this.#timer = setTimeout(
      () =>
        this.#abandonWorker(
          `Libvirtd accepts connections but does not answer (waited ${CONNECT_MS / 1000} seconds)`,
        ),
      CONNECT_MS,
    );
  }

  /** Leaves a worker that cannot be used any more behind; the next attempt starts another. */
  #abandonWorker(reason: string): void {
    clearTimeout(this.#timer);
    this.#worker?.terminate();
    this.#worker = undefined;
    if (!this.#stopped) this.#disconnected(reason);
  }

  #receive(message: FromEventWorker): void {
    switch (message.type) {
      case "ready":
        return;
      case "connected":
        clearTimeout(this.#timer);
        this.#attempt = 0;
        this.#setStatus({ connected: true, error: null, status: "connected" });
        return this.#listener.connected();
      case "refused":
        clearTimeout(this.#timer);
        return this.#disconnected(unavailableText(new LibvirtError(message.failure)));
      case "lost":
        log.warn("the connection to libvirt was lost", { uri: this.uri, reason: message.reason });
        return this.#disconnected(
          message.reason.startsWith("keep-alive")
            ? "Libvirtd does not answer."
            : errorText("LibvirtUnavailable"),
        );
      case "events":
        return this.#listener.events(message.events);
      case "closed":
        return this.#onClosed?.();
    }
  }

  #disconnected(error: string): void {
    if (this.#stopped) return;
    this.#setStatus({ connected: false, error, status: "disconnected" });
    const pause = BACKOFF_MS[Math.min(this.#attempt++, BACKOFF_MS.length - 1)]!;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.start(), pause * (0.8 + Math.random() * 0.4));
  }

  #setStatus(next: Pick<ConnectionStatus, "connected" | "error" | "status">): void {
    const old = this.#status;
    if (old.status === next.status && old.error === next.error) return;
    this.#status = { ...next, uri: this.uri, since: old.status === next.status ? old.since : Date.now() };
    log.info("libvirt", { status: next.status, uri: this.uri, error: next.error ?? undefined });
    this.#listener.status(this.#status);
  }
}
