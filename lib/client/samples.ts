/** The last few minutes of a set of figures, in columns, as a graph draws them. */

/** Seconds that a graph shows, whether there are that many samples yet or not. */
export const GRAPH_SECONDS = 300;

/** Seconds between two samples, more than which are a gap: stored ones are a minute apart at most. */
const MOST_APART_S = 90;

/** Columns of equal length: times in seconds, then one column a series; null is a gap. */
export type Columns = [times: number[], ...series: (number | null)[][]];

/** A bounded history of samples. */
export class Samples {
  readonly #span: number;
  #columns: Columns;

  /**
   * @param series How many figures a sample has.
   * @param span Seconds to keep.
   */
  constructor(series: number, span: number) {
    this.#span = span;
    this.#columns = [[], ...Array.from({ length: series }, () => [] as (number | null)[])];
  }

  /** Adds a sample; one that is not newer than the last is ignored. */
  add(timestamp: number, values: readonly (number | null)[]): void {
    const time = timestamp / 1000;
    const [times, ...columns] = this.#columns;
    const last = times.at(-1);
    if (last !== undefined && time <= last) return;
    if (last !== undefined && time - last > MOST_APART_S) {
      // Nothing was told in between, as while the VM was off: no line leads across.
      times.push((last + time) / 2);
      for (const column of columns) column.push(null);
    }
    times.push(time);
    columns.forEach((column, index) => column.push(values[index] ?? null));
    const first = times.findIndex((one) => one >= time - this.#span);
    if (first > 0) { for (const column of this.#columns) column.splice(0, first); }
  }

  /** The samples as columns. Copied: a graph compares what it had with what it gets. */
  columns(): Columns {
    return this.#columns.map((column) => [...column]) as Columns;
  }
}
