/**
 * One question at a time per guest. A guest that does not answer costs one time limit: whatever waits behind that
 * question fails with it, and for a moment nothing more is asked.
 */
import { ContractError } from "../../lib/contract/mod.ts";
import type { Clock } from "../clock.ts";

/** Questions that may wait for one guest. */
const MOST_WAITING = 32;
/** Milliseconds in which a guest that did not answer is asked nothing. */
const QUIET_MS = 3000;

interface Line {
  waiting: number;
  last: Promise<unknown>;
  /** Counts how often the guest was silent. */
  silences: number;
  quietUntil: number;
}

/** Whether a question failed because the guest said nothing. */
export const isSilence = (error: unknown): boolean =>
  error instanceof ContractError && error.code === "GuestSilent";

export class GuestLines {
  readonly #lines = new Map<string, Line>();

  constructor(private readonly clock: Clock) {}

  /**
   * Asks, when it is its turn.
   *
   * @param always also a guest that was silent a moment ago: a thaw must be tried
   * @throws {ContractError} GuestBusy, GuestSilent, and what the question throws
   */
  async ask<T>(vmId: string, question: () => Promise<T>, always = false): Promise<T> {
    const line = this.#line(vmId);
    if (line.waiting >= MOST_WAITING) throw new ContractError("GuestBusy");
    const { silences, last } = line;
    const requireVoice = () => {
      const isQuiet = line.silences > silences || this.clock.monotonic() < line.quietUntil;
      if (!always && isQuiet) throw new ContractError("GuestSilent");
    };
    requireVoice();
    line.waiting++;
    const turn = (async () => {
      await last.catch(() => {/* told to who asked it */});
      requireVoice();
      try {
        return await question();
      } catch (error) {
        if (isSilence(error)) {
          line.silences++;
          line.quietUntil = this.clock.monotonic() + QUIET_MS;
        }
        throw error;
      }
    })();
    line.last = turn;
    try {
      return await turn;
    } finally {
      line.waiting--;
      if (line.waiting === 0 && line.silences === 0) this.#lines.delete(vmId);
    }
  }

  /** A guest that has just come is asked at once. */
  forget(vmId: string): void {
    const line = this.#lines.get(vmId);
    if (line === undefined) return;
    line.quietUntil = 0;
    if (line.waiting === 0) this.#lines.delete(vmId);
  }

  #line(vmId: string): Line {
    let line = this.#lines.get(vmId);
    if (line === undefined) {
      line = { waiting: 0, last: Promise.resolve(), silences: 0, quietUntil: 0 };
      this.#lines.set(vmId, line);
    }
    return line;
  }
}
