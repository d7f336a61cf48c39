/** How figures are taken: contestants in turn, medians. The machine is noisy, so no single absolute time counts. */

/** One measurement; gives its figure. */
export type Contestant = () => Promise<number>;

/** Figures by contestant, in the order they were taken: those at the same place belong to the same round. */
export type Figures<K extends string> = Readonly<Record<K, readonly number[]>>;

/**
 * Lets everyone have a go in each round. Every other round goes backwards, so that no candidate always follows the same
 * one; one round before the first does not count.
 */
export async function inTurn<K extends string>(
  rounds: number,
  contestants: Readonly<Record<K, Contestant>>,
): Promise<Figures<K>> {
  const entries = Object.entries(contestants) as [K, Contestant][];
  const figures = Object.fromEntries(entries.map(([name]) => [name, []])) as unknown as Record<K, number[]>;
  for (let round = -1; round < rounds; round++) {
    for (const [name, contestant] of round % 2 === 0 ? entries : entries.toReversed()) {
      const figure = await contestant();
      if (round >= 0) figures[name].push(figure);
    }
  }
  return figures;
}

/** The middle one; the mean of the two middle ones of an even number. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** The quotients of each round. */
export function ratios(ours: readonly number[], theirs: readonly number[]): number[] {
  return ours.map((figure, round) => figure / theirs[round]!);
}

/** The differences of each round. */
export function differences(ours: readonly number[], theirs: readonly number[]): number[] {
  return ours.map((figure, round) => figure - theirs[round]!);
}

/** Milliseconds something takes. */
export async function timed(run: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await run();
  return performance.now() - begin;
}
