/** The event hub: numbers events, keeps the latest, and hands them to everyone who listens. */
import {
  type EventData,
  type EventName,
  EVENTS,
  type PublishedEvent as PublishedText,
} from "../../lib/contract/events.ts";
import { SOURCE_LOCALE } from "../../lib/i18n/locale.ts";
import { rendered, type Unrendered } from "../../lib/i18n/message.ts";
import { withLocale } from "../i18n/request_locale.ts";
import { log } from "../log.ts";

/** An event whose texts are made for who reads it. */
export type Published = Unrendered<PublishedText>;
/** Data of such an event. */
export type PublishedData<N extends EventName> = Unrendered<EventData<N>>;

/** An event that was published, with its frame in English. */
export interface ToldEvent {
  readonly event: Published;
  readonly frame: string;
  readonly id: string | undefined;
}

/** An event that happened before. */
export interface MissedEvent {
  readonly id: string;
  readonly name: EventName;
  /** Its data as JSON, with messages that are made into text for who reads them. */
  readonly json: string;
}

/** Gets frames of the event stream in English, several at once when they happened together; and one by one, for who may not see all. */
type Listener = (frames: string, told: readonly ToldEvent[]) => void;

/** Gets the events that happened together. */
type Follower = (events: readonly Published[]) => void;

/** Events that have messages. The frames of others are the same in each language. */
const EVENTS_WITH_SENTENCES: ReadonlySet<EventName> = new Set([
  "activity",
  "alert-fired",
  "error",
  "job-changed",
  "job-progress",
]);

/** Events kept for clients that reconnect. */
const KEPT = 4096;
/** … and characters of them: a VM's description alone may be long. */
const KEPT_LENGTH = 8 * 1024 * 1024;

/** One server-sent event. @param json has no raw line breaks, so that it is always one line */
const frameOf = (name: EventName, json: string, id?: string): string =>
  `${id === undefined ? "" : `id: ${id}\n`}event: ${name}\ndata: ${json}\n\n`;

/** One server-sent event. */
export const eventFrame = (name: EventName, data: unknown, id?: string): string =>
  frameOf(name, JSON.stringify(data), id);

/** Whether an event's text differs from language to language. */
export const hasSentences = (name: EventName): boolean => EVENTS_WITH_SENTENCES.has(name);

/** An event that was missed, as it was published. */
export const missedEvent = ({ name, json }: MissedEvent): Published =>
  [name, JSON.parse(json)] as unknown as Published;

/** Characters of what was missed. */
export const lengthOf = (missed: readonly MissedEvent[]): number =>
  missed.reduce((sum, { json }) => sum + json.length, 0);

/** Frames of what was missed, in the language of what is done now. */
export const framesOf = (missed: readonly MissedEvent[]): string =>
  missed.map(({ id, name, json }) =>
    frameOf(name, hasSentences(name) ? JSON.stringify(rendered(JSON.parse(json))) : json, id)
  ).join("");

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
  readonly #kept: MissedEvent[] = [];
  /** Tells this run's ids from an earlier one's: after a restart a client must start again. */
  readonly #run = crypto.randomUUID().slice(0, 8);
  #number = 0;
  #watching = 0;
  /** Characters of all kept events. */
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
      const json = JSON.stringify(data);
      // The caller that published it has a language, too: readers have theirs
      const text = hasSentences(name)
        ? withLocale(SOURCE_LOCALE, () => eventFrame(name, rendered(data), id))
        : frameOf(name, json, id);
      if (kept) this.#keep(name, json);
      frames += text;
      told.push({ event, frame: text, id });
    }
    this.#forgetOldest();
    if (frames === "") return;
    for (const listener of [...this.#listeners]) alone("a client", () => listener(frames, told));
  }

  #keep(name: EventName, json: string): void {
    this.#kept.push({ id: this.lastId, name, json });
    this.#keptLength += json.length;
  }

  #forgetOldest(): void {
    let count = 0;
    while (this.#kept.length - count > KEPT || this.#keptLength > KEPT_LENGTH) {
      this.#keptLength -= this.#kept[count++]!.json.length;
    }
    if (count > 0) this.#kept.splice(0, count);
  }

  /** Events a client missed since `id`; null when they are not all kept (or `id` is of an earlier run). */
  since(id: string): MissedEvent[] | null {
    const [, run, text] = /^([0-9a-f]{8})-(\d{1,15})$/.exec(id) ?? [];
    const number = Number(text);
    if (run !== this.#run || number > this.#number) return null;
    const oldest = this.#number - this.#kept.length;
    if (number < oldest) return null;
    return this.#kept.slice(number - oldest);
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
