/** How long metrics are kept: the policy, the daily clean-up, and what there is. */
import {
  ContractError,
  type Input,
  type MetricCleanup,
  type MetricFigures,
  type MetricResolution,
  type RetentionPolicy,
} from "../../lib/contract/mod.ts";
import { DAY_S, RESOLUTIONS } from "../../lib/metrics/resolutions.ts";
import { type Clock, SYSTEM_CLOCK } from "../clock.ts";
import type { ClockDrift } from "../store/clock_drift.ts";
import type { Store } from "../store/store.ts";
import type { MetricStore } from "./metric_store.ts";
import { HOUR_MS } from "../../lib/duration.ts";

/** The policy alone, as it is kept. */
type Policy = Required<Input<"update_retention_policy">>;

/** The defaults. */
export const DEFAULT_POLICY: Policy = {
  enabled: true,
  days: 365,
  quarterHourDays: 90,
  minuteDays: 7,
  rawDays: 2,
  cleanupHour: 3,
};

/** The field of each resolution's days. */
const DAYS_OF = {
  "raw": "rawDays",
  "1m": "minuteDays",
  "15m": "quarterHourDays",
  "1h": "days",
} as const satisfies Record<MetricResolution, keyof Policy>;

/** Milliseconds after which a clean-up that was missed is made up for, whatever hour it is. */
const MISSED_MS = 25 * HOUR_MS;

/** The steps of its table. */
export const RETENTION_MIGRATIONS = [
  `CREATE TABLE metrics_policy (
     id           INTEGER PRIMARY KEY CHECK (id = 1),
     record       TEXT NOT NULL,  -- JSON: the policy
     last_cleanup INTEGER         -- ms since 1970
   ) STRICT;`,
];

export class MetricRetention {
  readonly #store: Store;
  readonly #metrics: MetricStore;
  readonly #interval: number;
  readonly #clock: Clock;
  readonly #drift: ClockDrift;
  #policy = DEFAULT_POLICY;
  #lastCleanup: number | null = null;

  /** @param interval seconds from one reading to the next */
  constructor(
    store: Store,
    metrics: MetricStore,
    interval: number,
    drift: ClockDrift,
    clock: Clock = SYSTEM_CLOCK,
  ) {
    this.#store = store;
    this.#metrics = metrics;
    this.#interval = interval;
    this.#clock = clock;
    this.#drift = drift;
    store.attach((database) => {
      const row = database.prepare("SELECT record, last_cleanup FROM metrics_policy").get();
      this.#policy = row === undefined
        ? DEFAULT_POLICY
        : { ...DEFAULT_POLICY, ...JSON.parse(String(row.record)) };
      this.#lastCleanup = row?.last_cleanup === undefined || row.last_cleanup === null
        ? null
        : Number(row.last_cleanup);
    });
  }

  /** Days that a resolution is kept: none longer than all. */
  keptDays(resolution: MetricResolution): number {
    return Math.min(this.#policy[DAYS_OF[resolution]], this.#policy.days);
  }

  async show(): Promise<RetentionPolicy> {
    const { trouble } = this.#metrics, { held } = this.#drift;
    const kept = Object.fromEntries(RESOLUTIONS.map(({ name }) => [DAYS_OF[name], this.keptDays(name)]));
    return {
      ...this.#policy,
      ...kept,
      intervalSeconds: this.#interval,
      figures: await this.#figures(),
      ...(trouble !== null && { trouble }),
      ...(held !== undefined && { held }),
      lastCleanup: this.#lastCleanup,
    };
  }

  async #figures(): Promise<MetricFigures | null> {
    try {
      return await this.#metrics.ask("figures", {});
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      return null; // the store has said why
    }
  }

  /** @throws {ContractError} StoreUnavailable */
  set(change: Input<"update_retention_policy">): void {
    const policy = { ...this.#policy, ...change };
    this.#keep(policy, this.#lastCleanup);
    this.#policy = policy;
  }

  /** Removes what is older than the policy keeps. @throws {ContractError} MetricsUnavailable, StoreUnavailable */
  async cleanUp(): Promise<MetricCleanup> {
    const now = this.#clock.now();
    const cleaned = await this.#metrics.clean(
      RESOLUTIONS.map(({ name }) => now / 1000 - this.keptDays(name) * DAY_S),
    );
    this.#keep(this.#policy, now);
    this.#lastCleanup = now;
    return cleaned;
  }

  /** Removes everything that is older than so many days. @throws {ContractError} MetricsUnavailable */
  async removeOlder(days: number): Promise<MetricCleanup> {
    return await this.#metrics.clean(RESOLUTIONS.map(() => this.#clock.now() / 1000 - days * DAY_S));
  }

  /** Whether the daily clean-up is to be made now. */
  get isDue(): boolean {
    if (!this.#policy.enabled || this.#drift.held !== undefined) return false;
    const now = new Date(this.#clock.now());
    if (this.#lastCleanup === null) return now.getHours() === this.#policy.cleanupHour;
    const since = now.getTime() - this.#lastCleanup;
    const isOtherDay = new Date(this.#lastCleanup).toDateString() !== now.toDateString();
    return since < 0 || since >= MISSED_MS || (isOtherDay && now.getHours() === this.#policy.cleanupHour);
  }

  /** The daily clean-up, where it is due. @throws {ContractError} MetricsUnavailable, StoreUnavailable */
  async cleanUpWhenDue(): Promise<void> {
    if (this.isDue) await this.cleanUp();
  }

  /** @throws {ContractError} StoreUnavailable */
  #keep(policy: Policy, lastCleanup: number | null): void {
    const written = this.#store.write(() => {
      this.#store.database!.prepare(
        "INSERT INTO metrics_policy (id, record, last_cleanup) VALUES (1, ?, ?) ON CONFLICT (id) DO UPDATE " +
          "SET record = excluded.record, last_cleanup = excluded.last_cleanup",
      ).run(JSON.stringify(policy), lastCleanup);
    });
    if (!written) {
      throw new ContractError("StoreUnavailable", { reason: this.#store.trouble ?? "it is not open" });
    }
  }
}
