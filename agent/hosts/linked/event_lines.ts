/** Server-sent events (WHATWG HTML, 9.2) of another KVM Manager, read as they come and bounded. Pure but for the reading. */

import { SYSTEM_CLOCK } from "../../clock.ts";
import { Pace } from "../../pace.ts";
import { TextCutter } from "./bounded.ts";

/** Characters of one event. */
const LONGEST_EVENT = 2 * 1024 * 1024;
/**
 * Bytes of a stream that are read in a second, and at once: of one that sends more the rest waits in the connection, so that
 * reading events leaves time for all else.
 */
const READ_RATE = { perSecond: 2 * 1024 * 1024, burst: 6 * 1024 * 1024 };

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
  const pace = new Pace(SYSTEM_CLOCK, READ_RATE.perSecond, READ_RATE.burst);
  for await (const chunk of stream) {
    await pace.take(chunk.length);
    const blocks = cutter.take(decoder.decode(chunk, { stream: true }));
    // Bytes that never become a whole block are no sign of life
    if (blocks.length > 0) yield blocks.map(frameOf).filter((frame) => frame !== undefined);
  }
}
