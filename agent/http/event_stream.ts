/** The event stream: server-sent events (WHATWG HTML, 9.2), resumable by id, bounded for clients that do not read. */
import { ContractError } from "../../lib/contract/errors.ts";
import type { EventView } from "../../lib/access/shown.ts";
import { Counts } from "./limits.ts";
import { type EventHub, frame, type Told } from "../events/hub.ts";

/** Bytes a client may be behind. Beyond it, it is disconnected: memory must not grow with it. */
const BEHIND_LIMIT = 1024 * 1024;
/** Most streams at once: each is a connection and a queue. */
const MOST_STREAMS = 200;
/** … and of one account: a stream for each of its tabs. */
const MOST_OF_ONE = 50;
/** Milliseconds between comments that keep proxies from closing a quiet stream, and tell us of clients that left. */
const HEARTBEAT_MS = 15_000;
/** Milliseconds a browser waits before it reconnects. */
const RETRY_MS = 1000;

const encoder = new TextEncoder();

/** Whose stream it is. */
export interface Follower {
  /** What of the events is told; everything without it. */
  readonly view?: EventView;
  /** Aborted when the stream must end: signed out, other rights. */
  readonly ended?: AbortSignal;
  /** Whose account it is; without it nothing is counted. */
  readonly who?: string;
  /** Keeps their session in use while the stream is open. */
  readonly hold?: (() => Disposable) | undefined;
}

const ofEach = new Counts(MOST_OF_ONE);

/** The frames of what may be seen. What is left out keeps its id to itself: the next one is resumed from. */
function visible(view: EventView, told: readonly Told[]): string {
  return told.map((each) => {
    const shown = view.shown(each.event);
    if (shown === null) return "";
    return shown === each.event ? each.frame : frame(shown[0], shown[1], each.id);
  }).join("");
}

/**
 * Answers with the stream of events.
 *
 * @throws {ContractError} TooManyRequests, NotSignedIn
 */
export function eventStream(
  hub: EventHub,
  request: Request,
  { view, ended, who, hold }: Follower = {},
): Response {
  if (hub.listeners >= MOST_STREAMS) {
    throw new ContractError("TooManyRequests", { what: "event streams", limit: MOST_STREAMS });
  }
  if (ended?.aborted) throw new ContractError("NotSignedIn");
  if (who !== undefined && !ofEach.take(who)) {
    throw new ContractError("TooManyRequests", { what: "event streams of this account", limit: MOST_OF_ONE });
  }
  const since = request.headers.get("last-event-id") ?? new URL(request.url).searchParams.get("since");
  let stop = () => {};
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const send = (text: string) => {
        controller.enqueue(encoder.encode(text));
        if ((controller.desiredSize ?? 0) > 0) return;
        stop();
        // Not close(): what waits in the queue would be held for as long as the client does not read. It comes back
        // with the last id it has read, and gets what it missed.
        controller.error(new Error("an event stream's client fell too far behind"));
      };
      const held = hold?.();
      const listening = hub.listen((frames, told) => {
        const text = view === undefined ? frames : visible(view, told);
        if (text !== "") send(text);
      });
      const heartbeat = setInterval(() => send(": still here\n\n"), HEARTBEAT_MS);
      let stopped = false;
      stop = () => {
        if (stopped) return;
        stopped = true;
        if (who !== undefined) ofEach.release(who);
        ended?.removeEventListener("abort", end);
        clearInterval(heartbeat);
        held?.[Symbol.dispose]();
        listening[Symbol.dispose]();
      };
      request.signal.addEventListener("abort", () => stop(), { once: true });
      const end = () => {
        stop();
        controller.close();
      };
      ended?.addEventListener("abort", end, { once: true });
      controller.enqueue(encoder.encode(`retry: ${RETRY_MS}\n: connected\n\n`));
      if (since === null) return;
      const missed = hub.since(since);
      // What somebody may see is judged when it happens: of what is past, machines may be gone by now.
      if (missed === null || (view !== undefined && missed !== "")) {
        send(frame("reload", { reason: "too much happened since" }));
      } else if (missed !== "") send(missed);
    },
    cancel: () => stop(),
  }, new ByteLengthQueuingStrategy({ highWaterMark: BEHIND_LIMIT }));
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    },
  });
}
