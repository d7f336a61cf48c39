/** Series of metrics: their keys, questions for them, and answers. */
import type { Points } from "../../lib/metrics/points.ts";

/** Key of a series. */
export interface SeriesKey {
  readonly host: string;
  /** Id of the VM; empty: the host itself. */
  readonly subject: string;
  readonly name: string;
  /** Empty where there is one of it alone. */
  readonly label: string;
}

/** Series that are asked for; of all names or labels where nothing is said. */
export interface SeriesQuery {
  readonly host: string;
  readonly subject: string;
  readonly names?: readonly string[];
  readonly label?: string;
}

/** A series with its points. */
export interface StoredSeries {
  readonly name: string;
  readonly label: string;
  readonly points: Points;
}

/** Series of a VM or a host. */
export interface SubjectSeries extends Pick<SeriesKey, "host" | "subject"> {
  readonly series: readonly StoredSeries[];
}
