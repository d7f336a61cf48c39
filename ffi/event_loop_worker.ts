/// <reference lib="deno.worker" />
/**
 * The event loop worker: runs libvirt's event loop on its own thread, one blocking turn after the other, until it is told to
 * stop. Blocking calls need none of Deno's 32 blocking threads, which file accesses that hang may have taken, all of them.
 */
import {
  type FromEventLoopWorker,
  LOOP_CELL,
  LOOP_TICK_MS,
  type ToEventLoopWorker,
} from "./event_loop_protocol.ts";
import { libvirt } from "./library.ts";

declare const self: DedicatedWorkerGlobalScope;

const post = (message: FromEventLoopWorker) => self.postMessage(message);

/**
 * Milliseconds between turns that follow each other closely. Every message on any connection, of a call as of an upload,
 * wakes the loop while it waits, twice or more, though the loop has nothing to do with it. Not waiting for a moment costs
 * an event that moment, and saves a quarter of what an upload costs this process.
 */
const PAUSE_MS = 2;

function run({ cells, timer }: ToEventLoopWorker): void {
  const { symbols, lastError } = libvirt();
  const pause = (ms: number) => Atomics.wait(cells, LOOP_CELL.STOP, 0, ms);
  while (Atomics.load(cells, LOOP_CELL.STOP) === 0) {
    const began = performance.now();
    const result = symbols.virEventRunDefaultImpl();
    Atomics.add(cells, LOOP_CELL.TURNS, 1);
    if (Atomics.exchange(cells, LOOP_CELL.WANTED, 0) === 1) {
      symbols.virEventUpdateTimeout(timer, LOOP_TICK_MS);
      post({ type: "turned" });
    }
    if (result < 0) {
      post({ type: "failed", failure: lastError().toFailure() });
      pause(LOOP_TICK_MS);
    } else if (performance.now() - began < PAUSE_MS) pause(PAUSE_MS);
  }
  post({ type: "ended" });
}

self.onmessage = ({ data }: MessageEvent<ToEventLoopWorker>) => run(data);
