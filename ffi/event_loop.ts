/**
 * libvirt's event loop. There is one for the whole process: it dispatches events and keeps the keep-alive timers of
 * every connection of every thread. It must run as long as any connection is open.
 */
import { setTimeout as delay } from "node:timers/promises";
import { libvirt, ok } from "./library.ts";

/** The loop while it runs. */
export interface EventLoop {
  /** Ends it. */
  stop(): Promise<void>;
  /** Waits until the turn under way is over: a callback deregistered before the call is not called any more then. */
  turned(): Promise<void>;
}

let running: EventLoop | undefined;

/** Milliseconds after which the loop comes round even when nothing happens. */
const TICK_MS = 1000;
/**
 * Milliseconds between turns that follow each other closely. Every message on any connection, of a call as of an upload,
 * wakes the loop while it waits, twice or more, though the loop has nothing to do with it. Not waiting for a moment costs
 * an event that moment, and saves a quarter of what an upload costs this process.
 */
const PAUSE_MS = 2;

/**
 * Starts the loop once; must be called before any connection is opened. Each turn is a `nonblocking` call, so it
 * takes one of Deno's 32 blocking threads and leaves this thread free.
 *
 * @param onError Told when a turn fails; the loop goes on after a pause.
 * @throws {LibvirtError} kind `unavailable`: no libvirt library here.
 */
export function startEventLoop(onError: (error: unknown) => void): EventLoop {
  if (running) return running;
  const { symbols, noop, lastError } = libvirt();
  ok(symbols.virEventRegisterDefaultImpl());
  // Without any timer or handle the first turn would sleep for ever, and stopping would have to wait for an event.
  const timer = ok(symbols.virEventAddTimeout(TICK_MS, noop, null, null));
  let going = true;
  let waiting: (() => void)[] = [];
  const turned = () => {
    for (const resolve of waiting) resolve();
    waiting = [];
  };
  const turn = async () => {
    while (going) {
      const began = performance.now();
      const result = await symbols.virEventRunDefaultImpl();
      if (going && waiting.length > 0) symbols.virEventUpdateTimeout(timer, TICK_MS);
      turned();
      if (result < 0) {
        onError(lastError());
        await delay(TICK_MS);
      } else if (performance.now() - began < PAUSE_MS) await delay(PAUSE_MS);
    }
  };
  const ended = turn();
  running = {
    stop: async () => {
      going = false;
      symbols.virEventUpdateTimeout(timer, 0);
      running = undefined;
      await ended;
      // Left behind at 0 ms, it would make a loop that is started later spin.
      symbols.virEventRemoveTimeout(timer);
    },
    turned: () => {
      if (!going) return ended;
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push(resolve);
      symbols.virEventUpdateTimeout(timer, 0);
      return promise;
    },
  };
  return running;
}
