/** The server's event stream, as long as somebody follows it (WHATWG HTML, 9.2). */
import { message, render } from "../lib/i18n/message.ts";
import { createParser } from "eventsource-parser";
import { ApiError } from "../lib/client/api.ts";
import type { AnyEvent, EventName } from "../lib/contract/mod.ts";
import type { Server } from "./connect/server.ts";

/** Events of load come every second: they are news for those alone who look at it. */
export const LOADS: ReadonlySet<EventName> = new Set(["vm-stats-updated", "host-stats-updated"]);
/** Most characters of one event: what has no end is no event. */
const LONGEST = 8 * 1024 * 1024;

/** Events out of a stream's text, piece by piece. */
export class EventReader {
  #found: AnyEvent[] = [];
  /** Id of the last event that had one. */
  lastId: string | null = null;
  readonly #parser = createParser({
    maxBufferSize: LONGEST,
    onId: (id) => this.lastId = id,
    onEvent: ({ event, data }) => {
      if (event !== undefined) {
        this.#found.push({ name: event as EventName, data: JSON.parse(data) } as AnyEvent);
      }
    },
    onError: ({ type }) => {
      if (type === "max-buffer-size-exceeded") {
        throw new ApiError("BadAnswer", "the server's event has no end");
      }
    },
  });

  /** @throws {ApiError} BadAnswer for an event without end */
  read(piece: string): AnyEvent[] {
    this.#parser.feed(piece);
    return this.#found.splice(0);
  }

  /** Forgets the event that a break cut off; the last id stays. */
  reopen(): void {
    this.#parser.reset();
    this.#found = [];
  }
}

/**
 * Follows the events, from now on or after one that was seen. Ends when the server hangs up, or `signal` says so. The
 * first thing told is that nothing can be missed any more: whoever shows a state reads it then.
 *
 * @param reader kept by whoever comes back after a break, and goes on where they were
 * @throws {ApiError}
 */
export async function* follow(
  server: Server,
  signal: AbortSignal,
  reader: EventReader = new EventReader(),
): AsyncGenerator<AnyEvent | "opened", void, undefined> {
  reader.reopen();
  const response = await server.request("/api/v1/events", {
    headers: {
      accept: "text/event-stream",
      ...(reader.lastId !== null && { "last-event-id": reader.lastId }),
    },
    signal,
  });
  if (!response.ok || response.body === null) {
    const error = await response.json() as { code?: string; message?: string };
    throw new ApiError(error.code ?? "Internal", error.message ?? `HTTP ${response.status}`);
  }
  yield "opened";
  const pieces = response.body.pipeThrough(new TextDecoderStream());
  try {
    for await (const piece of pieces) yield* reader.read(piece);
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof ApiError) throw error;
    throw new ApiError("Unreachable", render(message`the connection to ${server.name} broke`));
  }
}

/** Milliseconds before the first and the last of the tries to come back. */
const RETRY_MS = { first: 500, last: 15_000 } as const;

/** The same, coming back for as long as it takes; "opened" is told each time. @param broke told why */
export async function* followOn(
  server: Server,
  signal: AbortSignal,
  broke: (reason: string) => void,
): AsyncGenerator<AnyEvent | "opened", void, undefined> {
  const reader = new EventReader();
  let wait: number = RETRY_MS.first;
  while (!signal.aborted) {
    let isOpen = false;
    try {
      for await (const event of follow(server, signal, reader)) {
        if (event === "opened") isOpen = true;
        else wait = RETRY_MS.first;
        yield event;
      }
      if (!signal.aborted) broke(render(message`the server hung up`));
    } catch (error) {
      if (!(error instanceof ApiError) || (error.code !== "Unreachable" && !isOpen)) throw error;
      broke(error.message);
    }
    if (signal.aborted) return;
    await new Promise((resolve) => setTimeout(resolve, wait));
    wait = Math.min(RETRY_MS.last, wait * 2);
  }
}
