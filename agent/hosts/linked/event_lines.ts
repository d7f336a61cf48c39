/** Server-sent events (WHATWG HTML, 9.2) of another KVM Manager, read as they come and bounded. Pure but for the reading. */

import { setTimeout as delay } from "node:timers/promises";
import { TextCutter } from "./bounded.ts";

/** Characters of one event. */
const LONGEST_EVENT = 2 * 1024 * 1024;
/**
 * Bytes of a stream that are read in a second, and at once: of one that sends more the rest waits in the connection, so that
 * reading events leaves time for all else.
 */
const READ_RATE = { perSecond: 2 * 1024 * 1024, burst: 6 * 1024 * 1024 };

/** Waits as long as what was read so far takes at that rate. */
class Pace {
  #left = READ_RATE.burst;
  #at = performance.now();

  async take(bytes: number): Promise<void> {
    const now = performance.now(), perMs = READ_RATE.perSecond / 1000;
    this.#left = Math.min(READ_RATE.burst, this.#left + (now - this.#at) * perMs) - bytes;
    this.#at = now;
    if (this.#left < 0) await delay(-this.#left / perMs);
  }
}

/** One event. */
export interface EventFrame {
  readonly id: string | undefined;
  readonly name: string;
  readonly data: string;
}

/** The event that a block of lines is; undefined for one of comments. */
function frameOf(block: string): EventFrame | undefined {
  let id: string | undefined, name = "message";
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const [, field, value = ""] = /^(\w+):(?: (.*)|(?=.*$))/s.exec(line) ?? [];
    if (field === "id") id = value;
    else if (field === "event") name = value;
    else if (field === "data") data.push(value);
  }
  return data.length === 0 ? undefined : { id, name, data: data.join("\n") };
}

/**
 * Gives the events of a stream, in arrays of those that came together; an empty one for a sign of life.
 *
 * @throws {TooLongError}; what the stream ends with
 */
export async function* eventFrames(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<readonly EventFrame[]> {
  const decoder = new TextDecoder(), cutter = new TextCutter("\n\n", LONGEST_EVENT);
  const pace = new Pace();
  for await (const chunk of stream) {
    await pace.take(chunk.length);
    const blocks = cutter.take(decoder.decode(chunk, { stream: true }));
    yield blocks.map(frameOf).filter((frame) => frame !== undefined);
  }
}
