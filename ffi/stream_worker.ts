/// <reference lib="deno.worker" />
/**
 * The stream worker: reads and writes open consoles and channels. libvirt's streams are read in callbacks that the thread of
 * the event loop (`event_loop.ts`) calls and waits for, so what they do is short: read what is there, post it. For the same
 * reason nothing here waits for libvirtd: an opener (`stream_opener_worker.ts`) opens and closes.
 *
 * Data are always read as they arrive: libvirt's client keeps unread data in memory, without a bound, so waiting here
 * would bound nothing. The owner bounds both ways; data it has not handled lie between the two, so a guest that sends
 * faster than that is cut off here.
 */
import { LibvirtError, type LibvirtFailure, libvirtFailure } from "./error.ts";
import { libvirt, ok } from "./library.ts";
import type { FromStreamWorker, ToStreamWorker } from "./stream_protocol.ts";

declare const self: DedicatedWorkerGlobalScope;

const post = (message: FromStreamWorker, transfer: Transferable[] = []) =>
  self.postMessage(message, transfer);

/** `virStreamEventType`. Writing is not waited for: libvirt's client takes all that it is given. */
const EVENT = { READABLE: 1, ERROR: 4, HANGUP: 8 } as const;
/** virStreamRecv's and virStreamSend's "not now". */
const NOT_NOW = -2;
/** Bytes read at once, and reads in one callback: another comes when there is more. */
const CHUNK = 64 * 1024;
const READS = 16;
/** Bytes that may wait for the owner. What a person reads, or an agent answers, is far less. */
const MOST_WAITING = 32 * 1024 * 1024;
/** Milliseconds until what could not be sent is tried again. */
const RETRY_MS = 20;
/** Milliseconds after which no dispatch that began before a deregistration is still under way. */
const DRAIN_MS = 2000;

/** Callbacks that may still be called: the worker must not end before they are closed. */
let draining = 0;

/** One open console. */
class OpenConsole {
  readonly #id: number;
  readonly #stream: Deno.PointerValue;
  readonly #callback: Deno.UnsafeCallback;
  readonly #unsent: Uint8Array<ArrayBuffer>[] = [];
  /** Read into again and again: a line sends a few bytes at a time, and each would cost a whole buffer. */
  readonly #buffer = new Uint8Array(CHUNK);
  #retry: ReturnType<typeof setTimeout> | undefined;
  /** Bytes that were posted, and not worked on yet. */
  #waiting = 0;
  #isOver = false;

  /** @param address of the stream, which stays its owner's @throws {LibvirtError} */
  constructor(id: number, address: bigint) {
    this.#id = id;
    this.#stream = Deno.UnsafePointer.create(address);
    const callback = Deno.UnsafeCallback.threadSafe(
      { parameters: ["pointer", "i32", "pointer"], result: "void" } as const,
      () => this.#receive(),
    );
    const watched = EVENT.READABLE | EVENT.ERROR | EVENT.HANGUP;
    try {
      ok(libvirt().symbols.virStreamEventAddCallback(this.#stream, watched, callback.pointer, null, null));
    } catch (error) {
      callback.close();
      throw error;
    }
    this.#callback = callback as unknown as Deno.UnsafeCallback;
  }

  /** Reads all there is, in a callback of libvirt. */
  #receive(): void {
    if (this.#isOver) return;
    const { symbols, lastError } = libvirt();
    for (let reads = 0; reads < READS; reads++) {
      const count = symbols.virStreamRecv(this.#stream, this.#buffer, BigInt(CHUNK));
      if (count === NOT_NOW) return;
      if (count === 0) return this.#end(null);
      if (count < 0) return this.#end(lastError().toFailure());
      this.#waiting += count;
      if (this.#waiting > MOST_WAITING) {
        return this.#end(
          new LibvirtError({ kind: "libvirt", message: "the guest sends faster than is read" }).toFailure(),
        );
      }
      const bytes = this.#buffer.slice(0, count);
      post({ type: "data", id: this.#id, bytes }, [bytes.buffer]);
    }
  }

  /** The owner has worked on so many bytes. */
  took(bytes: number): void {
    this.#waiting -= bytes;
  }

  /** Sends, after what waits already. */
  write(bytes: Uint8Array): void {
    if (this.#isOver) return;
    this.#unsent.push(new Uint8Array(bytes));
    this.#flush();
  }

  #flush(): void {
    clearTimeout(this.#retry);
    const { symbols, lastError } = libvirt();
    while (!this.#isOver && this.#unsent.length > 0) {
      const bytes = this.#unsent[0]!;
      const part = bytes.subarray(0, CHUNK);
      const count = symbols.virStreamSend(this.#stream, part, BigInt(part.length));
      if (count === NOT_NOW) {
        this.#retry = setTimeout(() => this.#flush(), RETRY_MS);
        return;
      }
      if (count < 0) return this.#end(lastError().toFailure());
      if (count < bytes.length) this.#unsent[0] = bytes.subarray(count);
      else this.#unsent.shift();
    }
  }

  /** Reports the end. What is held is given back later: this may be in a callback of libvirt. */
  #end(failure: LibvirtFailure | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    post({ type: "ended", id: this.#id, failure });
  }

  /** Touches the stream no more. Its callback is freed when no dispatch can be under way. */
  unwatch(): void {
    this.#isOver = true;
    clearTimeout(this.#retry);
    const { symbols } = libvirt();
    symbols.virStreamEventRemoveCallback(this.#stream);
    symbols.virResetLastError();
    draining++;
    setTimeout(() => {
      this.#callback.close();
      draining--;
      endIfIdle();
    }, DRAIN_MS);
  }
}

const consoles = new Map<number, OpenConsole>();
let isClosing = false;

function endIfIdle(): void {
  if (isClosing && consoles.size === 0 && draining === 0) post({ type: "closed" });
}

function unwatch(id: number): void {
  consoles.get(id)?.unwatch();
  consoles.delete(id);
  post({ type: "unwatched", id });
}

self.onmessage = ({ data }: MessageEvent<ToStreamWorker>) => {
  switch (data.type) {
    case "watch":
      try {
        consoles.set(data.id, new OpenConsole(data.id, data.stream));
        return post({ type: "watching", id: data.id });
      } catch (error) {
        return post({ type: "refused", id: data.id, failure: libvirtFailure(error) });
      }
    case "write":
      return consoles.get(data.id)?.write(data.bytes);
    case "took":
      return consoles.get(data.id)?.took(data.bytes);
    case "unwatch":
      return unwatch(data.id);
    case "close":
      isClosing = true;
      for (const id of [...consoles.keys()]) unwatch(id);
      return endIfIdle();
  }
};
