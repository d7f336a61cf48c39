/** Messages between the owner of the event loop and its worker. The worker reads no messages: it blocks in libvirt. */
import type { LibvirtFailure } from "./error.ts";

/** Cells of the memory that both sides share: how many turns have ended, whether the owner waits for one, whether to stop. */
export const LOOP_CELL = { TURNS: 0, WANTED: 1, STOP: 2 } as const;

/** Milliseconds after which the loop comes round even when nothing happens. */
export const LOOP_TICK_MS = 1000;

/** To the worker, once. */
export interface ToEventLoopWorker {
  /** One 32-bit cell for each of {@link LOOP_CELL}. */
  readonly cells: Int32Array<SharedArrayBuffer>;
  /** The timer that has the loop come round. */
  readonly timer: number;
}

/** From the worker. `turned` is told after a turn only when it was wanted; `ended` is the last. */
export type FromEventLoopWorker =
  | { type: "turned" }
  | { type: "failed"; failure: LibvirtFailure }
  | { type: "ended" };
