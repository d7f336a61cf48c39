/** Server-sent events, read without the product's own client. */
import { createParser } from "eventsource-parser";

/** One event of a stream. */
export interface StreamEvent {
  /** The last id the stream gave, or null when it gave none yet. */
  readonly id: string | null;
  readonly event: string;
  /** Its data, parsed from JSON. */
  readonly data: unknown;
}

/** Takes a stream apart into events (HTML Living Standard, 9.2.6). Comments and `retry` are passed over. */
export async function* parseEvents(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<StreamEvent, void, undefined> {
  const found: StreamEvent[] = [];
  let last: string | null = null;
  const parser = createParser({
    onId: (id) => last = id,
    onEvent: ({ event = "message", data }) => found.push({ id: last, event, data: JSON.parse(data) }),
  });
  const decoder = new TextDecoder();
  for await (const bytes of body) {
    parser.feed(decoder.decode(bytes, { stream: true }));
    yield* found.splice(0);
  }
}
