/** Something that a page shows and a call reads: fetched again when it may have changed, the old value meanwhile. */
import { type ReadonlySignal, signal } from "@preact/signals";

/** Changes that come together are read once. */
const SETTLE_MS = 200;

/** How a query reads, and when it reads again. */
export interface QueryOptions<T> {
  /** Data that the page was rendered with. */
  readonly first: T;
  readonly read: () => Promise<T>;
  /** Calls back at whatever may have changed it, not for what there is already. @returns how to stop */
  readonly follow: (changed: () => void) => () => void;
  /** Also reads it this often while the page is looked at: some changes have no event. */
  readonly everyMs?: number;
  /** Whether reading at intervals makes sense now. */
  readonly canRead?: () => boolean;
  /** Told why it could not be read; the value stays what it was. */
  readonly onFailure: (error: unknown) => void;
  readonly settleMs?: number;
}

/** The value, kept up to date from `start()` on. */
export class Query<T> {
  readonly #value;
  readonly #options: QueryOptions<T>;
  #newest = 0;

  constructor(options: QueryOptions<T>) {
    this.#options = options;
    this.#value = signal(options.first);
  }

  /** The current data: the answer to the newest request, in whatever order answers come. */
  get value(): ReadonlySignal<T> {
    return this.#value;
  }

  /** Reads it now. Never throws: see `onFailure`. */
  async reread(): Promise<void> {
    const turn = ++this.#newest;
    try {
      const found = await this.#options.read();
      if (turn !== this.#newest) return; // a later question has the answer, or will have
      // Equal is the same: a form somebody is filling in must not be drawn again for nothing.
      if (JSON.stringify(found) !== JSON.stringify(this.#value.peek())) this.#value.value = found;
    } catch (error) {
      if (turn === this.#newest) this.#options.onFailure(error);
    }
  }

  /** Follows its changes. @returns how to stop */
  start(): () => void {
    const { follow, everyMs, canRead = () => true, settleMs = SETTLE_MS } = this.#options;
    let waiting: ReturnType<typeof setTimeout> | undefined;
    const stop = follow(() => {
      clearTimeout(waiting);
      waiting = setTimeout(() => void this.reread(), settleMs);
    });
    const timer = everyMs === undefined
      ? undefined
      : setInterval(() => void (canRead() && this.reread()), everyMs);
    return () => {
      stop();
      clearTimeout(waiting);
      clearInterval(timer);
      this.#newest++; // the answer that is under way is not used any more
    };
  }
}

/** Follows signals: calls back when one gets another value. For {@link QueryOptions.follow}. */
export function whenChanged(...signals: readonly ReadonlySignal<unknown>[]): QueryOptions<unknown>["follow"] {
  return (changed) => {
    const stops = signals.map((each) => {
      let isFirst = true;
      // A subscription begins with what there is already.
      return each.subscribe(() => isFirst ? isFirst = false : changed());
    });
    return () => stops.forEach((stop) => stop());
  };
}
