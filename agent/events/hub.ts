/** The event hub: numbers events, keeps the latest, and hands them to everyone who listens. */
import {
  type EventData,
  type EventName,
  EVENTS,
  type PublishedEvent as PublishedText,
} from "../../lib/contract/events.ts";
import { rendered, type Unrendered } from "../../lib/i18n/message.ts";
import { log } from "../log.ts";

/** An event whose texts are made for who reads it. */
export type Published = Unrendered<PublishedText>;
/** Data of such an event. */
export type PublishedData<N extends EventName> = Unrendered<EventData<N>>;

/** An event that was published, with its frame. */
export interface ToldEvent {
  readonly event: Published;
  readonly frame: string;
  readonly id: string | undefined;
}

/** Gets frames of the event stream, several at once when they happened together; and one by one, for who may not see all. */
type Listener = (frames: string, told: readonly ToldEvent[]) => void;

/** Gets the events that happened together. */
type Follower = (events: readonly Published[]) => void;

/** Events that have messages. */
const EVENTS_WITH_SENTENCES: ReadonlySet<EventName> = new Set([
  "activity",
  "alert-fired",
  "job-changed",
  "job-progress",
]);

/** Events kept for clients that reconnect. */
const KEPT = 4096;
/** … and characters of them: a VM's description alone may be long. */
const KEPT_LENGTH = 8 * 1024 * 1024;

/** One server-sent event. JSON has no raw line breaks, so the data is always one line. */
export function eventFrame(name: EventName, data: unknown, id?: string): string {
  return `${id === undefined ? "" : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Tells one of several: what it fails with keeps no other from its events. */
function alone(who: string, tell: () => void): void {
  try {
    tell();
  } catch (error) {
    log.error("events could not be told", {
      who,
      error,
      stack: error instanceof Error ? error.stack : undefined,
    });
  }
}

export class EventHub {
  readonly #listeners = new Set<Listener>();
  readonly #followers = new Set<Follower>();
  readonly #kept: { number: number; frame: string }[] = [];
  /** Tells this run's ids from an earlier one's: after a restart a client must start again. */
  readonly #run = crypto.randomUUID().slice(0, 8);
  #number = 0;
  #watching = 0;
  /** Characters of all kept frames. */
  #keptLength = 0;

  /** Id of the newest event. A client that read everything at this moment resumes from it. */
  get lastId(): string {
    return `${this.#run}-${this.#number}`;
  }

  /** How many clients listen, those that want figures. */
  get listeners(): number {
    return this.#watching;
  }

  /** Publishes one event. */
  publish<N extends EventName>(name: N, data: PublishedData<N>): void {
    this.publishAll([[name, data] as unknown as Published]);
  }

  /** Publishes several events as one write to each client. */
  publishAll(events: readonly Published[]): void {
    if (events.length === 0) return;
    for (const follow of [...this.#followers]) alone("a part of the agent", () => follow(events));
    let frames = "";
    const told: ToldEvent[] = [];
    for (const event of events) {
      const [name, data] = event;
      const { kept } = EVENTS[name];
      if (!kept && this.#watching === 0) continue;
      if (kept) this.#number++;
      const id = kept ? this.lastId : undefined;
      const text = eventFrame(name, EVENTS_WITH_SENTENCES.has(name) ? rendered(data) : data, id);
      if (kept) {
        this.#kept.push({ number: this.#number, frame: text });
        this.#keptLength += text.length;
      }
      frames += text;
      told.push({ event, frame: text, id });
    }
    this.#forgetOldest();
    if (frames === "") return;
    for (const listener of [...this.#listeners]) alone("a client", () => listener(frames, told));
  }

  #forgetOldest(): void {
    let count = 0;
    while (this.#kept.length - count > KEPT || this.#keptLength > KEPT_LENGTH) {
      this.#keptLength -= this.#kept[count++]!.frame.length;
    }
    if (count > 0) this.#kept.splice(0, count);
  }

  /** Frames a client missed since `id`; null when they are not all kept (or `id` is of an earlier run). */
  since(id: string): string | null {
    const [, run, text] = /^([0-9a-f]{8})-(\d{1,15})$/.exec(id) ?? [];
    const number = Number(text);
    if (run !== this.#run || number > this.#number) return null;
    const oldest = this.#number - this.#kept.length;
    if (number < oldest) return null;
    return this.#kept.slice(number - oldest).map((event) => event.frame).join("");
  }

  /** Tells a part of the agent of every event, until disposed. It is no client: nothing is read for its sake. */
  follow(follower: Follower): Disposable {
    this.#followers.add(follower);
    return { [Symbol.dispose]: () => void this.#followers.delete(follower) };
  }

  /** Listens until disposed. @param watches whether figures are wanted, which are measured for those who look */
  listen(listener: Listener, { watches = true } = {}): Disposable {
    this.#listeners.add(listener);
    if (watches) this.#watching++;
    return {
      [Symbol.dispose]: () => {
        if (this.#listeners.delete(listener) && watches) this.#watching--;
      },
    };
  }
}
