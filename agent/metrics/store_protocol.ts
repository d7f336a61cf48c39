/** Messages between the store of metrics and its worker. Each is answered once, in order. */
import type {
  MetricFigures,
  MetricHistory,
  MetricResolution,
  MetricSummary,
} from "../../lib/contract/metrics.ts";
import type { CleanedPart } from "./metric_database.ts";
import type { SeriesKey, SeriesQuery, StoredSeries } from "./series.ts";

/** Request for a range. Times in seconds since 1970. */
export interface MetricRequest extends SeriesQuery {
  readonly from: number;
  readonly to: number;
  readonly resolution: MetricResolution;
  /** Seconds between raw figures. */
  readonly interval: number;
}

/** Calls of the worker by name: their inputs and outputs. */
export interface MetricCalls {
  /**
   * Opens the file; before anything else. `reserve`: bytes of the file system that metrics leave free. The worker also
   * watches that the main thread turns, by the memory `heartbeat`.
   */
  open: {
    in: { readonly path: string; readonly reserve: number; readonly heartbeat?: SharedArrayBuffer };
    out: null;
  };
  register: { in: { readonly keys: readonly SeriesKey[] }; out: Uint32Array };
  /** `generation` is that of the ids: those of another file are not taken. */
  write: {
    in: {
      readonly time: number;
      readonly ids: Uint32Array;
      readonly figures: Float32Array;
      readonly generation: number;
    };
    out: null;
  };
  /** Packs a part of what is over. Gives whether there may be more. */
  pack: { in: { readonly now: number }; out: boolean };
  history: { in: MetricRequest; out: Pick<MetricHistory, "times" | "series" | "stepSeconds"> };
  summary: { in: MetricRequest; out: MetricSummary["series"] };
  /** All points of a VM's series in a range, as they are stored. */
  points: { in: MetricRequest; out: readonly StoredSeries[] };
  /** Adds points that were taken elsewhere. */
  take: {
    in: {
      readonly host: string;
      readonly subject: string;
      readonly resolution: MetricResolution;
      readonly series: readonly StoredSeries[];
    };
    out: null;
  };
  clean: { in: { readonly before: readonly number[]; readonly after: number }; out: CleanedPart };
  /** Gives some space back. Gives whether there may be more. */
  shrink: { in: Record<never, never>; out: boolean };
  figures: { in: Record<never, never>; out: MetricFigures };
  close: { in: Record<never, never>; out: null };
}
export type MetricCall = keyof MetricCalls;

export type ToMetricWorker = {
  [C in MetricCall]: { readonly call: C; readonly input: MetricCalls[C]["in"] };
}[MetricCall];

/** The answer, and what happened to the file meanwhile. */
export interface FromMetricWorker {
  readonly value?: unknown;
  /** Why it could not be done. */
  readonly trouble?: string;
  /** Changes when ids given before are good no more. */
  readonly generation: number;
  /** The file was damaged; here it is now. A new one was begun. */
  readonly movedTo?: string;
}
