/** The first administrator: made by whoever has the one-time link that the start, or root, was given. */
import { ContractError } from "../../lib/contract/errors.ts";
import { type Clock, elapsed, type Moment, momentOf } from "../clock.ts";
import { newSecret, secretHash } from "./secret.ts";

/** Milliseconds a setup link is good for. */
export const SETUP_MS = 15 * 60_000;

export class Setup {
  #link: { hash: string; begun: Moment } | undefined;

  constructor(private readonly clock: Clock) {}

  /** Makes a key; the one before it dies. */
  issue(): { key: string; expiresAt: number } {
    const key = newSecret();
    const begun = momentOf(this.clock);
    this.#link = { hash: secretHash(key), begun };
    return { key, expiresAt: begun.wall + SETUP_MS };
  }

  /** Whether a key is good now. */
  fits(key: string): boolean {
    const link = this.#link;
    return link !== undefined && elapsed(link.begun, momentOf(this.clock)) < SETUP_MS &&
      link.hash === secretHash(key);
  }

  /**
   * Takes the key in.
   *
   * @returns gives it back, as old as it was, when what it was for failed
   * @throws {ContractError} SetupKey
   */
  redeem(key: string): () => void {
    if (!this.fits(key)) throw new ContractError("SetupKey");
    const link = this.#link;
    this.#link = undefined;
    return () => this.#link ??= link;
  }
}
