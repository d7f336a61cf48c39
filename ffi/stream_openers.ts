/**
 * Opening and closing streams of domains. Either may hang, so each has a worker to itself until it returns; then the worker
 * takes the next, or ends after a moment.
 */
import { workerUrl } from "../lib/bundle.ts";
import type { LibvirtAddress } from "./address.ts";
import { LibvirtError, type LibvirtFailure } from "./error.ts";
import { OPENING_STATE } from "./protocol.ts";
import type { ConsoleTarget, FromStreamOpener, HeldStream, ToStreamOpener } from "./stream_protocol.ts";

/** Milliseconds a worker is kept that has nothing to do: it costs 8 MB, and to start one 35 ms of CPU. */
const IDLE_MS = 5000;

/** Outcome of an open: the stream, or libvirt's refusal. */
export type OpenOutcome =
  | { readonly type: "opened"; readonly held: HeldStream }
  | { readonly type: "refused"; readonly failure: LibvirtFailure };

/** An open under way. */
export interface Opening {
  /** Known when libvirt returns, however late that is. What is open then must be closed. */
  readonly outcome: Promise<OpenOutcome>;
  /** Has it go no further: what waits for its connection, or for its VM, opens nothing any more. */
  abandon(): void;
}

export class StreamOpeners {
  /** The libvirt that is connected to from now on. */
  address: LibvirtAddress;
  /** Workers with nothing to do, and the timers that end them. */
  readonly #idle = new Map<Worker, ReturnType<typeof setTimeout>>();
  #isStopped = false;

  constructor(address: LibvirtAddress) {
    this.address = address;
  }

  /** Opens a domain's console or channel. */
  open(target: ConsoleTarget): Opening {
    const opening = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const answer = this.#ask({ type: "open", address: this.address, target, opening });
    return {
      outcome: answer.then((answer) => answer.type === "closed" ? failed("it opened nothing") : answer),
      abandon: () => Atomics.store(opening, 0, OPENING_STATE.ABANDONED),
    };
  }

  /** Closes a stream and its connection. @returns whether libvirt answered, however late */
  async close(held: HeldStream): Promise<boolean> {
    const answer = await this.#ask({ type: "close", held });
    return answer.type === "closed" && answer.answered;
  }

  /** Ends workers that have nothing to do, and others when they return. */
  stop(): void {
    this.#isStopped = true;
    for (const worker of [...this.#idle.keys()]) this.#end(worker);
  }

  #ask(message: ToStreamOpener): Promise<FromStreamOpener> {
    const { promise, resolve } = Promise.withResolvers<FromStreamOpener>();
    const worker = this.#take();
    worker.onmessage = ({ data }: MessageEvent<FromStreamOpener>) => {
      this.#release(worker);
      resolve(data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      worker.terminate();
      resolve(failed(event.message));
    };
    worker.postMessage(message);
    return promise;
  }

  #take(): Worker {
    const [worker] = [...this.#idle.keys()].slice(-1);
    if (worker === undefined) {
      const url = workerUrl("ffi/stream_opener_worker.ts");
      return new Worker(url, { type: "module", name: "libvirt opener" });
    }
    clearTimeout(this.#idle.get(worker));
    this.#idle.delete(worker);
    return worker;
  }

  #release(worker: Worker): void {
    if (this.#isStopped) return worker.terminate();
    this.#idle.set(worker, setTimeout(() => this.#end(worker), IDLE_MS));
  }

  #end(worker: Worker): void {
    clearTimeout(this.#idle.get(worker));
    this.#idle.delete(worker);
    worker.terminate();
  }
}

const failed = (reason: string): OpenOutcome => ({
  type: "refused",
  failure: new LibvirtError({ kind: "lost", message: `the stream opener failed: ${reason}` }).toFailure(),
});
