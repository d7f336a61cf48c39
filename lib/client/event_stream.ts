/** The page's event stream: one EventSource, opened again when it breaks, its events handed on in handfuls. */
import { based } from "./base.ts";
import type { AnyEvent, EventName } from "../contract/mod.ts";

/** How the stream is. `paused`: the tab is in the background, and leaves the connection to others. */
export type StreamState = "connecting" | "open" | "broken" | "paused";

/** The members of an EventSource that the stream uses; tests pass their own. */
export interface StreamSource {
  readonly readyState: number;
  onopen: ((event: Event) => void) | null;
  onerror: ((event: Event) => void) | null;
  addEventListener(name: string, listener: (event: MessageEvent<string>) => void): void;
  close(): void;
}

/** Options of an event stream, with its callbacks. */
export interface StreamOptions {
  /** Names of the events to hear. */
  readonly names: readonly EventName[];
  /** Events that came in, in order. */
  readonly onEvents: (events: readonly AnyEvent[]) => void;
  readonly onState: (state: StreamState) => void;
  /** Opens a source; the default is the server's stream. */
  readonly open?: (since: string) => StreamSource;
  /** Calls back after a time, in milliseconds; returns how to call it off. */
  readonly after?: (milliseconds: number, run: () => void) => () => void;
}

/** `EventSource.CLOSED`, which a test has no EventSource to ask for. */
const CLOSED = 2;
/** Events of so many milliseconds are rendered together: a tick of a thousand loads is one update, not a thousand. */
const HANDFUL_MS = 40;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 15_000;

const openStream = (since: string): StreamSource =>
  new EventSource(based(`/api/v1/events?since=${encodeURIComponent(since)}`));

const later = (milliseconds: number, run: () => void) => {
  const timer = setTimeout(run, milliseconds);
  return () => clearTimeout(timer);
};

/** A stream of events that keeps itself open. */
export class EventStream {
  readonly #options: Required<StreamOptions>;
  #since: string;
  #source: StreamSource | undefined;
  #queue: AnyEvent[] = [];
  #cancelFlush: (() => void) | undefined;
  #cancelRetry: (() => void) | undefined;
  #retryMs = FIRST_RETRY_MS;

  /** @param since Id of the newest event that is known already. */
  constructor(since: string, options: StreamOptions) {
    this.#since = since;
    this.#options = { open: openStream, after: later, ...options };
  }

  /** Opens the stream, unless it is open. */
  start(): void {
    if (this.#source !== undefined) return;
    this.#cancelRetry?.();
    this.#options.onState("connecting");
    const source = this.#options.open(this.#since);
    this.#source = source;
    source.onopen = () => {
      this.#retryMs = FIRST_RETRY_MS;
      this.#options.onState("open");
    };
    source.onerror = () => this.#broke(source);
    for (const name of this.#options.names) {
      // The browser calls a broken connection "error", too; only a message has data.
      source.addEventListener(name, (event) => {
        if (typeof event.data === "string") this.#take(name, event);
      });
    }
  }

  /** Closes it until the next `start()`, which goes on after the last event. */
  pause(): void {
    this.#cancelRetry?.();
    this.#source?.close();
    this.#source = undefined;
    this.#options.onState("paused");
  }

  #take(name: EventName, event: MessageEvent<string>): void {
    if (event.lastEventId !== "") this.#since = event.lastEventId;
    this.#queue.push({ name, data: JSON.parse(event.data) } as AnyEvent);
    this.#cancelFlush ??= this.#options.after(HANDFUL_MS, () => this.#flush());
  }

  #flush(): void {
    const events = this.#queue;
    this.#queue = [];
    this.#cancelFlush = undefined;
    this.#options.onEvents(events);
  }

  #broke(source: StreamSource): void {
    if (source !== this.#source) return;
    this.#options.onState("broken");
    // A connection that broke is opened again by the browser; one that was refused (HTTP 503) is not.
    if (source.readyState !== CLOSED) return;
    this.#source = undefined;
    this.#cancelRetry = this.#options.after(this.#retryMs, () => this.start());
    this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs * 2);
  }
}
