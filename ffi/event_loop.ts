/**
 * libvirt's event loop. There is one for the whole process: it dispatches events and keeps the keep-alive timers of
 * every connection of every thread. It must run as long as any connection is open.
 */
import { workerUrl } from "../lib/bundle.ts";
import { LibvirtError } from "./error.ts";
import {
  type FromEventLoopWorker,
  LOOP_CELL,
  LOOP_TICK_MS,
  type ToEventLoopWorker,
} from "./event_loop_protocol.ts";
import { libvirt, ok } from "./library.ts";

/** The loop while it runs. */
export interface EventLoop {
  /** Ends it, once everyone who started it has stopped it. */
  stop(): Promise<void>;
  /** Waits until the turn under way is over: a callback deregistered before the call is not called any more then. */
  turned(): Promise<void>;
}

let running: EventLoop | undefined;
/** How many have started it and not stopped it. */
let users = 0;

/**
 * Starts the loop once, on a thread of its own (`event_loop_worker.ts`, 7 MB); must be called before any connection is
 * opened. Its callbacks belong to other threads, and are called there while it waits for them.
 *
 * @param onError Told when a turn fails; the loop goes on after a pause.
 * @throws {LibvirtError} kind `unavailable`: no libvirt library here.
 */
export function startEventLoop(onError: (error: unknown) => void): EventLoop {
  if (running) {
    users++;
    return running;
  }
  const { symbols, noop } = libvirt();
  ok(symbols.virEventRegisterDefaultImpl());
  // Without any timer or handle the first turn would sleep for ever, and stopping would have to wait for an event.
  const timer = ok(symbols.virEventAddTimeout(LOOP_TICK_MS, noop, null, null));
  const cells = new Int32Array(
    new SharedArrayBuffer(Object.keys(LOOP_CELL).length * Int32Array.BYTES_PER_ELEMENT),
  );
  const ended = Promise.withResolvers<void>();
  let waiting: { readonly turns: number; readonly resolve: () => void }[] = [];
  const wake = () => {
    symbols.virEventUpdateTimeout(timer, 0);
    // In this order: whoever sees that a turn was wanted puts the timer back, and it must not stay at 0 ms.
    Atomics.store(cells, LOOP_CELL.WANTED, 1);
  };
  const turned = () => {
    const turns = Atomics.load(cells, LOOP_CELL.TURNS);
    for (const each of waiting) if (each.turns !== turns) each.resolve();
    waiting = waiting.filter((each) => each.turns === turns);
    if (waiting.length > 0) wake();
  };
  const isStopped = () => Atomics.load(cells, LOOP_CELL.STOP) === 1;
  const begin = () => {
    const worker = new Worker(workerUrl("ffi/event_loop_worker.ts"), {
      type: "module",
      name: "libvirt events",
    });
    const end = () => {
      worker.terminate();
      for (const { resolve } of waiting.splice(0)) resolve();
      ended.resolve();
    };
    worker.onmessage = ({ data }: MessageEvent<FromEventLoopWorker>) => {
      if (data.type === "turned") turned();
      else if (data.type === "failed") onError(new LibvirtError(data.failure));
      else end();
    };
    worker.onerror = (event) => {
      event.preventDefault();
      if (isStopped()) return end();
      worker.terminate();
      setTimeout(begin, LOOP_TICK_MS);
      onError(new LibvirtError({ kind: "lost", message: `the event loop worker failed: ${event.message}` }));
    };
    const start: ToEventLoopWorker = { cells, timer };
    worker.postMessage(start);
  };
  begin();
  const loop: EventLoop = {
    stop: async () => {
      if (running !== loop || --users > 0) return;
      Atomics.store(cells, LOOP_CELL.STOP, 1);
      Atomics.notify(cells, LOOP_CELL.STOP);
      symbols.virEventUpdateTimeout(timer, 0);
      running = undefined;
      await ended.promise;
      // Left behind at 0 ms, it would make a loop that is started later spin.
      symbols.virEventRemoveTimeout(timer);
    },
    turned: () => {
      if (isStopped()) return ended.promise;
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ turns: Atomics.load(cells, LOOP_CELL.TURNS), resolve });
      wake();
      return promise;
    },
  };
  users = 1;
  return running = loop;
}
