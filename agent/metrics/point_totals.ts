/** Totals of points, by resolution. */
import type { StatementSync } from "node:sqlite";
import type { Resolution } from "../../lib/metrics/resolutions.ts";

/** Changes of `totals` that a transaction makes. */
export class Totals {
  readonly #of = new Map<number, { points: number; bytes: number; oldest: number }>();

  add({ id }: Resolution, points: number, bytes: number, oldest = Infinity): void {
    const total = this.#of.get(id) ?? { points: 0, bytes: 0, oldest: Infinity };
    total.points += points;
    total.bytes += bytes;
    total.oldest = Math.min(total.oldest, oldest);
    this.#of.set(id, total);
  }

  write(statement: StatementSync): void {
    for (const [id, { points, bytes, oldest }] of this.#of) {
      statement.run(id, points, bytes, Number.isFinite(oldest) ? oldest : Number.MAX_SAFE_INTEGER);
    }
  }
}
