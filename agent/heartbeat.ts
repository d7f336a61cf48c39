/**
 * That the main thread turns, and what it does meanwhile, in memory which a worker sees: on a disk that does not respond
 * a synchronous write blocks it, and only another thread can report that.
 */

/** Work that the thread may be waiting for, for people. */
const LABELS = [
  "",
  "writing to the database",
  "opening the database",
  "looking at the database",
  "noting an operation",
] as const;
export type WatchedWork = Exclude<typeof LABELS[number], "">;

/** Milliseconds between beats. */
const BEAT_MS = 1000;
/** Places in the memory: how often it has turned; which of the labels it is in. */
const TURNS = 0, LABEL = 1;

const shared = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT);
const own = new Int32Array(shared);

/** The memory, for the worker that watches. */
export const heartbeat: SharedArrayBuffer = shared;

/** Beats from now on. @returns ends that */
export function beat(): () => void {
  const timer = setInterval(() => Atomics.add(own, TURNS, 1), BEAT_MS);
  Deno.unrefTimer(timer);
  return () => clearInterval(timer);
}

/** Carries out synchronous work on the disk of the data folder. @throws errors of the work */
export function onDisk<T>(work: WatchedWork, run: () => T): T {
  const before = Atomics.exchange(own, LABEL, LABELS.indexOf(work));
  try {
    return run();
  } finally {
    Atomics.store(own, LABEL, before);
  }
}

/** Reads the present state of the memory. */
export function readHeartbeat(memory: Int32Array): { readonly turns: number; readonly label: string } {
  return { turns: Atomics.load(memory, TURNS), label: LABELS[Atomics.load(memory, LABEL)] ?? "" };
}
