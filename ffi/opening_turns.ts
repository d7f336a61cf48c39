/**
 * Which consoles and channels may be opened now: one per VM at a time, and few at once, for each needs a worker (8 MB). One
 * that is slow is waited for a moment, and then holds up no other VM's.
 */
import { LibvirtError } from "./error.ts";

/** Milliseconds after which an open is slow. In good health it takes a few. */
const SLOW_MS = 1000;
/** Opens that may be under way at once, beside slow ones. */
const MOST = 4;

interface Turn {
  readonly since: number;
  readonly returned: Promise<void>;
}

export class OpeningTurns {
  readonly #turns = new Map<string, Turn>();

  /**
   * Waits until a VM may be asked.
   *
   * @param patience milliseconds to wait at most
   * @returns tells that libvirt has returned; to be called once
   * @throws {LibvirtError} kind `silent`: an open of this VM hangs; `busy`: too many opens are under way
   */
  async take(uuid: string, patience: number): Promise<() => void> {
    const began = performance.now();
    for (let before = this.#before(uuid); before.length > 0; before = this.#before(uuid)) {
      const now = performance.now();
      if (now - began > patience) {
        const message = `${before.length} consoles are being opened, and libvirt does not answer`;
        throw new LibvirtError({ kind: "busy", message });
      }
      const slowAt = Math.min(...before.map(({ since }) => since)) + SLOW_MS;
      await firstOf(before.map(({ returned }) => returned), slowAt - now);
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#turns.set(uuid, { since: performance.now(), returned: promise });
    return () => {
      this.#turns.delete(uuid);
      resolve();
    };
  }

  /** What has to return, or to be slow, before this VM may be asked. @throws {LibvirtError} kind `silent` */
  #before(uuid: string): Turn[] {
    const now = performance.now();
    const isSlow = ({ since }: Turn) => now - since >= SLOW_MS;
    const own = this.#turns.get(uuid);
    if (own !== undefined && isSlow(own)) {
      const seconds = Math.round((now - own.since) / 1000);
      const message = `a console of this VM has been waiting for libvirt for ${seconds} seconds`;
      throw new LibvirtError({ kind: "silent", message });
    }
    if (own !== undefined) return [own];
    const quick = [...this.#turns.values()].filter((turn) => !isSlow(turn));
    return quick.length < MOST ? [] : quick;
  }
}

/** Waits for the first of some promises, for so many milliseconds at most. */
async function firstOf(promises: readonly Promise<void>[], ms: number): Promise<void> {
  let limit: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([...promises, new Promise<void>((resolve) => limit = setTimeout(resolve, ms))]);
  clearTimeout(limit);
}
