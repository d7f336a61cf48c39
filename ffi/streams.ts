/**
 * Consoles and channels of domains: byte streams both ways. Their worker is started with the first one and ended a moment after
 * the last: it costs 7 MB. libvirt's event loop must run (`event_loop.ts`).
 */
import { workerUrl } from "../lib/bundle.ts";
import { LibvirtError } from "./error.ts";
import type { ConsoleTarget, FromStreamWorker, ToStreamWorker } from "./stream_protocol.ts";

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
  readonly listener: ConsoleListener;
  readonly opened: PromiseWithResolvers<void>;
  readonly shut: PromiseWithResolvers<void>;
  /** `failed`: given up by who opened it; what comes later is shut at once. */
  state: "opening" | "open" | "failed" | "closing";
}

export class ConsoleStreams {
  readonly #uri: string;
  readonly #members = new Map<number, Member>();
  #worker: Worker | undefined;
  #nextId = 1;
  #idle: ReturnType<typeof setTimeout> | undefined;

  constructor(uri: string) {
    this.#uri = uri;
  }

  /** Whether there is a worker. */
  get running(): boolean {
    return this.#worker !== undefined;
  }

  /** Opens a domain's first console, or a channel. @throws {LibvirtError} */
  async open(target: ConsoleTarget, listener: ConsoleListener): Promise<ConsoleStream> {
    clearTimeout(this.#idle);
    const worker = this.#worker ??= this.#start();
    const id = this.#nextId++;
    const member: Member = {
      listener,
      opened: Promise.withResolvers(),
      shut: Promise.withResolvers(),
      state: "opening",
    };
    this.#members.set(id, member);
    post(worker, { type: "open", id, uri: this.#uri, target });
    const limit = setTimeout(() => {
      member.state = "failed";
      member.opened.reject(
        new LibvirtError({ kind: "timeout", message: `no answer within ${OPEN_MS / 1000} seconds` }),
      );
    }, OPEN_MS);
    try {
      await member.opened.promise;
    } finally {
      clearTimeout(limit);
    }
    return {
      write: (bytes) => {
        if (member.state === "open") post(worker, { type: "write", id, bytes });
      },
      close: () => this.#close(worker, id, member),
    };
  }

  /** Ends everything, before the event loop is. */
  async stop(): Promise<void> {
    clearTimeout(this.#idle);
    await Promise.all(
      [...this.#members].map(([id, member]) => this.#worker && this.#close(this.#worker, id, member)),
    );
    this.#end();
  }

  async #close(worker: Worker, id: number, member: Member): Promise<void> {
    if (member.state !== "closing") {
      member.state = "closing";
      post(worker, { type: "shut", id });
    }
    let limit: ReturnType<typeof setTimeout> | undefined;
    await Promise.race([
      member.shut.promise,
      new Promise((resolve) => limit = setTimeout(resolve, CLOSE_MS)),
    ]);
    clearTimeout(limit);
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
    const member = this.#members.get(message.id);
    if (!member) return;
    switch (message.type) {
      case "opened":
        if (member.state === "opening") {
          member.state = "open";
          return member.opened.resolve();
        }
        return void this.#close(worker, message.id, member); // too late
      case "refused":
        this.#forget(message.id, member);
        return member.opened.reject(new LibvirtError(message.failure));
      case "data":
        if (member.state === "open") member.listener.data(message.bytes);
        return post(worker, { type: "took", id: message.id, bytes: message.bytes.length });
      case "ended":
        if (member.state === "open") {
          member.listener.ended(message.failure && new LibvirtError(message.failure));
        }
        return;
      case "shut":
        return this.#forget(message.id, member);
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
    if (this.#worker) post(this.#worker, { type: "close" });
    this.#worker = undefined;
  }

  #broken(worker: Worker, message: string): void {
    worker.terminate();
    if (this.#worker === worker) this.#worker = undefined;
    const failure = new LibvirtError({ kind: "lost", message });
    for (const [id, member] of [...this.#members]) {
      this.#forget(id, member);
      if (member.state === "opening") member.opened.reject(failure);
      else if (member.state === "open") member.listener.ended(failure);
    }
  }
}

function post(worker: Worker, message: ToStreamWorker): void {
  worker.postMessage(message);
}
