/**
 * Turns of streams to be opened and closed: one open per VM at a time, and few of both at once, for each needs a worker
 * (8 MB). A slow one is waited for a moment, and then holds up no other VM's.
 */
import { LibvirtError } from "./error.ts";

/** Milliseconds after which an open or a close is slow. In good health it takes a few. */
const SLOW_MS = 1000;
/** How many may be under way at once, in addition to slow ones. */
const MOST = 4;

interface Turn {
  /** The VM that is opened; undefined for a close. */
  readonly opens: string | undefined;
  readonly since: number;
  readonly returned: Promise<void>;
}

export class StreamTurns {
  readonly #turns = new Set<Turn>();

  /**
   * Waits until a console or channel of a VM may be opened.
   *
   * @param patience milliseconds to wait at most
   * @returns tells that libvirt has returned
   * @throws {LibvirtError} kind `silent`: an open of this VM hangs; `busy`: too many opens are under way
   */
  async toOpen(uuid: string, patience: number): Promise<() => void> {
    const limit = performance.now() + patience;
    for (;;) {
      const before = this.#beforeOpening(uuid);
      if (before.length === 0) return this.#take(uuid);
      if (performance.now() > limit) {
        const message = `${before.length} consoles are being opened, and libvirt does not answer`;
        throw new LibvirtError({ kind: "busy", message });
      }
      await oneOf(before);
    }
  }

  /** Waits until a stream may be closed. @returns tells that libvirt has returned */
  async toClose(): Promise<() => void> {
    for (let before = this.#quick(); before.length >= MOST; before = this.#quick()) await oneOf(before);
    return this.#take(undefined);
  }

  #take(opens: string | undefined): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    const turn: Turn = { opens, since: performance.now(), returned: promise };
    this.#turns.add(turn);
    return () => {
      this.#turns.delete(turn);
      resolve();
    };
  }

  #quick(): Turn[] {
    return [...this.#turns].filter((turn) => !isSlow(turn));
  }

  /** Turns that must return, or become slow, before a VM's may be opened. @throws {LibvirtError} kind `silent` */
  #beforeOpening(uuid: string): Turn[] {
    const own = [...this.#turns].find(({ opens }) => opens === uuid);
    if (own !== undefined && isSlow(own)) {
      const seconds = Math.round((performance.now() - own.since) / 1000);
      const message = `a console of this VM has been waiting for libvirt for ${seconds} seconds`;
      throw new LibvirtError({ kind: "silent", message });
    }
    if (own !== undefined) return [own];
    const quick = this.#quick();
    return quick.length < MOST ? [] : quick;
  }
}

const isSlow = ({ since }: Turn) => performance.now() - since >= SLOW_MS;

/** Waits until one of some turns has returned, or is slow. */
async function oneOf(turns: readonly Turn[]): Promise<void> {
  const slowAt = Math.min(...turns.map(({ since }) => since)) + SLOW_MS;
  let limit: ReturnType<typeof setTimeout> | undefined;
  const slow = new Promise<void>((resolve) => {
    limit = setTimeout(resolve, slowAt - performance.now() + 1);
  });
  await Promise.race([...turns.map(({ returned }) => returned), slow]);
  clearTimeout(limit);
}
