/**
 * Service of the metrics' worker: it opens the file, carries calls out, and survives a full disk and a
 * damaged file. All calls are synchronous.
 */
import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { columns, type NamedPoints, rawStep, summary } from "../../lib/metrics/history.ts";
import { HOST_SERIES, type MetricSeries, VM_SERIES } from "../../lib/contract/metric_series.ts";
import { resolutionOf } from "../../lib/metrics/resolutions.ts";
import { messageOf } from "../../lib/text/message.ts";
import { MetricDatabase } from "./metric_database.ts";
import { isDamage, moveAside, openMetrics } from "./metric_file.ts";
import type {
  FromMetricWorker,
  MetricCall,
  MetricCalls,
  MetricRequest,
  ToMetricWorker,
} from "./store_protocol.ts";

type Answers = { readonly [C in MetricCall]: (input: MetricCalls[C]["in"]) => MetricCalls[C]["out"] };

/** A call that cannot be carried out now; the text says why and what to do. */
class MetricTrouble extends Error {}

export class MetricService {
  #database: MetricDatabase | undefined;
  #path = "";
  #reserve = 0;
  #generation = crypto.getRandomValues(new Uint32Array(1))[0]!;
  #movedTo: string | undefined;

  /** The answer to a message. Never throws. */
  answer({ call, input }: ToMetricWorker): FromMetricWorker {
    this.#movedTo = undefined;
    let result: { value: unknown } | { trouble: string };
    try {
      const run = this.#answers[call] as (input: unknown) => unknown;
      result = { value: run(input) };
    } catch (error) {
      result = { trouble: this.#troubleOf(error) };
    }
    const movedTo = this.#movedTo as string | undefined;
    return { ...result, generation: this.#generation, ...(movedTo !== undefined && { movedTo }) };
  }

  readonly #answers: Answers = {
    open: ({ path, reserve }) => {
      this.#path = path;
      this.#reserve = reserve;
      void this.#open();
      return null;
    },
    register: ({ keys }) => Uint32Array.from(this.#toWrite().register(keys)),
    write: ({ time, ids, figures, generation }) => {
      const database = this.#toWrite();
      // Of a file that was moved aside: the next tick has ids of the new one
      if (generation === this.#generation) database.write(time, ids, figures);
      return null;
    },
    pack: ({ now }) => this.#toWrite().pack(now),
    history: (request) => {
      const { series, step } = this.#read(request);
      return columns(series, request, step);
    },
    summary: (request) => {
      const { series, step } = this.#read(request);
      return summary(series, request, step);
    },
    points: (request) => this.#read(request).series,
    take: ({ host, subject, resolution, series }) => {
      this.#toWrite().take(resolutionOf(resolution), [{ host, subject, series }]);
      return null;
    },
    clean: ({ before, after }) => {
      const cleaned = this.#open().clean(before, after);
      if (cleaned.series > 0) this.#generation++;
      return cleaned;
    },
    shrink: () => this.#open().shrink(),
    figures: () => this.#open().figures(),
    close: () => {
      this.#close();
      return null;
    },
  };

  #read(request: MetricRequest): { series: NamedPoints[]; step: number } {
    const resolution = resolutionOf(request.resolution);
    const table: Readonly<Record<string, MetricSeries>> = request.subject === "" ? HOST_SERIES : VM_SERIES;
    const series = this.#open().read(request, request.from, request.to, resolution)
      // A series of another version of this program has no unit
      .flatMap(({ name, label, points }) =>
        Object.hasOwn(table, name) ? [{ name, label, unit: table[name]!.unit, points }] : []
      );
    const order = Object.keys(table);
    series.sort((a, b) =>
      order.indexOf(a.name) - order.indexOf(b.name) || a.label.localeCompare(b.label, "en", { numeric: true })
    );
    return { series, step: resolution.step || rawStep(series, request.interval) };
  }

  /** The database, opened where it is not. A damaged one is moved aside. */
  #open(): MetricDatabase {
    if (this.#database) return this.#database;
    try {
      return this.#database = new MetricDatabase(openMetrics(this.#path), this.#path);
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#begin();
      return this.#database = new MetricDatabase(openMetrics(this.#path), this.#path);
    }
  }

  /** The database, where there is room to write. @throws {MetricTrouble} */
  #toWrite(): MetricDatabase {
    if (this.#reserve > 0) {
      const { bavail, bsize } = statfsSync(dirname(this.#path));
      if (bavail * bsize < this.#reserve) {
        throw new MetricTrouble(
          `less than ${Math.round(this.#reserve / 2 ** 20)} MiB are free in ${
            dirname(this.#path)
          }, which metrics leave ` +
            "to others. Make room there, or keep metrics for fewer days",
        );
      }
    }
    return this.#open();
  }

  /** Moves a damaged file aside. Ids that were given are good no more. */
  #begin(): void {
    this.#close();
    this.#movedTo = moveAside(this.#path);
    this.#generation++;
  }

  #close(): void {
    this.#database?.close();
    this.#database = undefined;
  }

  /** Text on an error. Damage is dealt with at once; after any other the file is opened again. */
  #troubleOf(error: unknown): string {
    const text = messageOf(error).replaceAll(/\s+/g, " ");
    if (error instanceof MetricTrouble) return text;
    try {
      if (isDamage(error)) {
        this.#begin();
        return `${this.#path} was damaged (${text}). It was moved to ${this.#movedTo}, and a new one begun`;
      }
      this.#close();
    } catch (closing) {
      return `${this.#path} cannot be used (${text}; ${messageOf(closing)})`;
    }
    if (/disk I\/O/i.test(text)) {
      return `${this.#path} cannot be used (${text}). Look whether its file system is full, and its disk in order`;
    }
    if (/full|no space/i.test(text)) {
      return `${this.#path} cannot be written (${text}). Make room on its file system`;
    }
    return `${this.#path} cannot be used (${text})`;
  }
}
