/** Counters and gauges of one VM or host, reading by reading → figures to keep. Pure. */
import { quantise } from "./quantise.ts";
import { increase, perSecond } from "./rate.ts";

/** A reading: libvirt's typed parameters, or what the kernel's files say, by name. */
export type Reading = Readonly<Record<string, number | string | boolean>>;

/** Origin of a figure: a name of the reading, or a function of several. */
export type SeriesOrigin = string | ((reading: Reading) => number);

/** How a series is taken from readings. */
export interface FigureSource {
  readonly name: string;
  readonly label: string;
  readonly from: SeriesOrigin;
  /**
   * counter: what it rose by in a second. share: the same of a time, in percent of the time that passed: never more than all of
   * it, though the kernel sums some up a moment late. ratio: what `from` rose by for each that `by` rose.
   */
  readonly kind: "gauge" | "counter" | "share" | "ratio";
  readonly by?: SeriesOrigin;
  /** The figure's unit over the reading's. */
  readonly factor: number;
}

/** A source as tables have it: names in the reading, after that of its part. */
export type SourceRow = readonly [kind: FigureSource["kind"], from: string, factor?: number, by?: string];

/** The sources of a table, by name of the series. @param part what names in the reading of that part begin with */
export function sourcesOf(
  table: Readonly<Partial<Record<string, SourceRow>>>,
  label = "",
  part = "",
): FigureSource[] {
  return Object.entries(table as Readonly<Record<string, SourceRow>>).map((
    [name, [kind, from, factor = 1, by]],
  ) => ({
    name,
    label,
    kind,
    factor,
    from: part + from,
    ...(by !== undefined && { by: part + by }),
  }));
}

/** The number of that name; NaN where there is none. */
export function numberIn(reading: Reading, name: string): number {
  const value = reading[name];
  return typeof value === "number" ? value : NaN;
}

const valueOf = (reading: Reading, from: SeriesOrigin) =>
  typeof from === "string" ? numberIn(reading, from) : from(reading);

/** Takes the figures of one VM or host. It keeps the last reading of its counters alone. */
export class MetricSampler {
  readonly #last: Float64Array;
  readonly #lastBy: Float64Array;
  readonly #figures: Float32Array;
  #at = NaN;

  constructor(readonly sources: readonly FigureSource[]) {
    this.#last = new Float64Array(sources.length).fill(NaN);
    this.#lastBy = new Float64Array(sources.length).fill(NaN);
    this.#figures = new Float32Array(sources.length);
  }

  /**
   * The figures of a reading, one for each source; NaN where nothing can be told. The array is the same each time: those of
   * a thousand VMs would be megabytes of garbage for long.
   *
   * @param at monotonic milliseconds
   * @param mostSeconds since the reading before: after more, what a counter rose by says nothing of now
   * @param hasReset whether the counters began again since
   */
  take(reading: Reading, at: number, mostSeconds: number, hasReset = false): Float32Array {
    const seconds = (at - this.#at) / 1000;
    const canTell = seconds > 0 && seconds <= mostSeconds && !hasReset;
    const figures = this.#figures;
    for (const [index, source] of this.sources.entries()) {
      const now = valueOf(reading, source.from), before = this.#last[index]!;
      this.#last[index] = now;
      if (source.kind === "gauge") figures[index] = quantise(now * source.factor);
      else if (source.kind === "counter" || source.kind === "share") {
        const rate = canTell ? perSecond(before, now, seconds, source.factor) : NaN;
        figures[index] = quantise(source.kind === "share" ? Math.min(rate, 100) : rate);
      } else {
        const by = valueOf(reading, source.by!), beforeBy = this.#lastBy[index]!;
        this.#lastBy[index] = by;
        const rose = increase(beforeBy, by);
        figures[index] = quantise(canTell && rose > 0 ? increase(before, now) / rose * source.factor : NaN);
      }
    }
    this.#at = at;
    return figures;
  }
}
