/** The event stream: server-sent events (WHATWG HTML, 9.2), resumable by id, bounded for clients that do not read. */
import { ContractError } from "../../lib/contract/errors.ts";
import type { EventFilter } from "../../lib/access/filter_output.ts";
import { rendered } from "../../lib/i18n/message.ts";
import { locale, SOURCE_LOCALE } from "../../lib/i18n/locale.ts";
import { EVENTS } from "../../lib/contract/events.ts";
import {
  eventFrame,
  type EventHub,
  framesOf,
  hasSentences,
  lengthOf,
  type ToldEvent,
} from "../events/hub.ts";
import { withLocale } from "../i18n/request_locale.ts";
import { FairPlaces, type Place } from "./fair_places.ts";

/** Bytes a client may be behind. Beyond it, it is disconnected: memory must not grow with it. */
const BEHIND_LIMIT = 1024 * 1024;
/** Bytes a client may be behind and still get figures: the next ones replace them, so that nothing is lost without. */
const FIGURES_LIMIT = BEHIND_LIMIT / 4;
/** Characters of what a client has missed that it is sent. Beyond, it reads everything again: that is less. */
const MISSED_LIMIT = BEHIND_LIMIT / 2;
/** Most streams at once: each is a connection and a queue. Beyond, whoever has most gives up their oldest. */
export const MOST_STREAMS = 200;
/** … and of one account: a stream for each of its tabs. */
export const MOST_OF_ONE = 50;
/** Milliseconds between comments that keep proxies from closing a quiet stream, and tell us of clients that left. */
const HEARTBEAT_MS = 15_000;
/** Milliseconds a browser waits before it reconnects. */
const RETRY_MS = 1000;

const encoder = new TextEncoder();

/**
 * Choice of events: those that are kept for reconnecting clients, figures, or both. A stream without figures
 * causes no measurements.
 */
export const FIGURE_CHOICES = ["on", "off", "only"] as const;
export type FigureChoice = typeof FIGURE_CHOICES[number];

/** The client of a stream. */
export interface Follower {
  /** Filter of the events; all events without it. */
  readonly view?: EventFilter | undefined;
  readonly figures?: FigureChoice;
  /** Aborted when the stream must end: signed out, other rights. */
  readonly ended?: AbortSignal;
  /** Account of the client, or else its session or token. */
  readonly who?: string;
  /** Keeps their session in use while the stream is open. */
  readonly hold?: (() => Disposable) | undefined;
}

/** An open stream, as what shares the places. */
interface Stream extends Place {
  end(): void;
}

/**
 * The frames of what may be seen, in a language. What is left out keeps its id to itself: the next one is resumed from.
 *
 * @param view undefined: all of it
 */
function visible(
  view: EventFilter | undefined,
  told: readonly ToldEvent[],
  language: string,
): string {
  return told.map((each) => {
    const shown = view === undefined ? each.event : view.shown(each.event);
    if (shown === null) return "";
    const isSame = language === SOURCE_LOCALE || !hasSentences(each.event[0]);
    if (shown === each.event && isSame) return each.frame;
    const [name, data] = shown;
    return eventFrame(name, withLocale(language, () => rendered(data)), each.id);
  }).join("");
}

const isWanted = (figures: FigureChoice) => ({ event: [name] }: ToldEvent) =>
  figures === "on" || EVENTS[name].kept === (figures === "off");

const isKept = ({ event: [name] }: ToldEvent) => EVENTS[name].kept;

/** The event streams of everybody. */
export class EventStreams {
  readonly #places = new FairPlaces<Stream>(MOST_STREAMS);

  constructor(private readonly hub: EventHub) {}

  /**
   * Answers with the stream of events.
   *
   * @throws {ContractError} TooManyRequests, NotSignedIn
   */
  open(request: Request, { view, ended, who = "", hold, figures = "on" }: Follower = {}): Response {
    if (ended?.aborted) throw new ContractError("NotSignedIn");
    let stop = () => {}, close = () => {};
    const language = locale();
    // Each is in use as much as any other. A browser whose stream was ended comes back for another.
    const place: Stream = { standing: 1, end: () => close() };
    const loser = this.#places.enter(place, who, MOST_OF_ONE);
    if (loser === place) throw this.#refusal(who);
    loser?.end();
    const since = request.headers.get("last-event-id") ?? new URL(request.url).searchParams.get("since");
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        const send = (text: string) => {
          controller.enqueue(encoder.encode(text));
          if ((controller.desiredSize ?? 0) > 0) return;
          stop();
          // Not close(): what waits in the queue would be held for as long as the client does not read. It comes back
          // with the last id it has read, and gets what it missed.
          controller.error(new Error("an event stream's client fell too far behind"));
        };
        const held = hold?.();
        const isOfChoice = isWanted(figures);
        const isWhole = view === undefined && language === SOURCE_LOCALE && figures === "on";
        const listening = this.hub.listen((frames, told) => {
          const hasRoom = (controller.desiredSize ?? 0) > BEHIND_LIMIT - FIGURES_LIMIT;
          const isSent = (each: ToldEvent) => isOfChoice(each) && (hasRoom || isKept(each));
          const text = isWhole && hasRoom ? frames : visible(view, told.filter(isSent), language);
          if (text !== "") send(text);
        }, { watches: figures !== "off" });
        const heartbeat = setInterval(() => send(": still here\n\n"), HEARTBEAT_MS);
        let stopped = false;
        stop = () => {
          if (stopped) return;
          stopped = true;
          this.#places.leave(place);
          ended?.removeEventListener("abort", close);
          clearInterval(heartbeat);
          held?.[Symbol.dispose]();
          listening[Symbol.dispose]();
        };
        request.signal.addEventListener("abort", () => stop(), { once: true });
        close = () => {
          stop();
          controller.close();
        };
        ended?.addEventListener("abort", close, { once: true });
        controller.enqueue(encoder.encode(`retry: ${RETRY_MS}\n: connected\n\n`));
        if (since === null) return;
        const missed = this.hub.since(since);
        // What somebody may see is judged when it happens: of what is past, VMs may be gone by now.
        if (
          missed === null || lengthOf(missed) > MISSED_LIMIT || (view !== undefined && missed.length > 0)
        ) {
          send(eventFrame("reload", { reason: "too much happened since" }));
        } else if (missed.length > 0) send(withLocale(language, () => framesOf(missed)));
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

  #refusal(who: string): ContractError {
    const [what, limit] = this.#places.of(who) >= MOST_OF_ONE
      ? ["event streams of this account", MOST_OF_ONE]
      : ["event streams", MOST_STREAMS];
    return new ContractError("TooManyRequests", { what, limit });
  }
}
