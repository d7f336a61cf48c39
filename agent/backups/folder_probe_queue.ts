/**
 * Looks into folders that may not answer: a share that is away keeps whoever looks waiting, and each who waits takes one of
 * the few threads by which all files are read. So a folder is looked into by one at a time.
 */
import { Mutex } from "../../lib/mutex.ts";
import { within } from "../within.ts";

/** Milliseconds that somebody waits for a look. */
const MOST_MS = 10_000;

/** A folder's looks. */
interface Queue<T> {
  readonly turns: Mutex;
  /** By what is looked for: those that have not begun. */
  readonly waiting: Map<string, Promise<T>>;
}

export class FolderProbeQueue<T> {
  readonly #queues = new Map<string, Queue<T>>();

  /** @param mostMs milliseconds that somebody waits for a look */
  constructor(private readonly mostMs: number = MOST_MS) {}

  /**
   * Result of a look; undefined if it takes too long. Calls during a look share the next one: the one under
   * way may have begun before a change that the caller made.
   *
   * @throws errors of the look
   */
  async ask(folder: string, what: string, look: () => Promise<T>): Promise<T | undefined> {
    const queue = this.#queues.get(folder) ?? { turns: new Mutex(), waiting: new Map<string, Promise<T>>() };
    this.#queues.set(folder, queue);
    let mine = queue.waiting.get(what);
    if (mine === undefined) {
      mine = queue.turns.run(() => {
        queue.waiting.delete(what);
        return look();
      });
      queue.waiting.set(what, mine);
    }
    let found: T | undefined;
    await within(this.mostMs, mine.then((given) => void (found = given)));
    return found;
  }
}
