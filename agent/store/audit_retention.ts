/**
 * How long the audit log is kept: so many days, so many entries, but never less than the youngest month: whoever makes
 * many entries pushes no young one out. It is the only thing that may delete entries (a trigger of the database refuses
 * all else), and each time it leaves an entry that says so.
 */
import { DAY_MS } from "../../lib/duration.ts";
import { type AuditRetention, ContractError, MIN_AUDIT_DAYS as MIN_DAYS } from "../../lib/contract/mod.ts";
import { type Clock, SYSTEM_CLOCK } from "../clock.ts";
import type { ActivityLog } from "./activity.ts";
import type { ClockDrift } from "./clock_drift.ts";
import type { Store } from "./store.ts";

/** Default limits. */
export const KEPT = { days: 365, entries: 1_000_000 } as const;
interface Limits {
  readonly days: number;
  readonly entries: number;
}
/** Entries deleted in one go: it holds up the process. */
const AT_ONCE = 5000;
export class AuditRetentionPolicy {
  readonly #store: Store;
  readonly #activity: ActivityLog;
  readonly #clock: Clock;
  readonly #drift: ClockDrift;
  #limits: Limits = KEPT;

  constructor(
    store: Store,
    activity: ActivityLog,
    drift: ClockDrift,
    clock: Clock = SYSTEM_CLOCK,
  ) {
    this.#store = store;
    this.#activity = activity;
    this.#clock = clock;
    this.#drift = drift;
    store.attach((database) => {
      const row = database.prepare("SELECT record FROM audit_retention").get();
      this.#limits = row === undefined ? KEPT : JSON.parse(String(row.record)) as Limits;
    });
  }

  /** @throws {ContractError} StoreUnavailable */
  show(): AuditRetention {
    const { oldest, stored } = this.#ask("SELECT count(*) AS stored, min(timestamp) AS oldest FROM activity");
    const held = this.#drift.held;
    return {
      ...this.#limits,
      stored: Number(stored),
      oldest: oldest === null ? null : Number(oldest),
      ...(held !== undefined && { held }),
    };
  }

  /** @throws {ContractError} StoreUnavailable */
  set(change: Partial<Limits>): void {
    const limits = { ...this.#limits, ...change };
    const written = this.#store.write(() => {
      this.#store.database!.prepare(
        "INSERT INTO audit_retention (id, record) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record",
      ).run(JSON.stringify(limits));
    });
    if (!written) throw this.#unavailable();
    this.#limits = limits;
  }

  /** Removes what is over the limits, part by part. @returns how many entries */
  async prune(signal?: AbortSignal): Promise<number> {
    let removed = 0;
    // Decided once: each part leaves an entry, which may be one too many again.
    const upto = this.#upto();
    for (let part = this.#part(upto); part > 0 && !signal?.aborted; part = this.#part(upto)) {
      removed += part;
      await new Promise((resolve) => setTimeout(resolve)); // others first
    }
    return removed;
  }

  /** The last entry to be removed; 0 when none is. */
  #upto(): number {
    if (!this.#store.database) return 0;
    try {
      if (this.#drift.held !== undefined) return 0;
      const { days } = this.#limits;
      const tooOld = this.#olderThan(days);
      return Math.max(tooOld, Math.min(this.#tooMany(), this.#olderThan(MIN_DAYS)));
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      return 0; // the store has said why
    }
  }

  /** One part; how many entries it removed. */
  #part(upto: number): number {
    if (upto <= 0) return 0;
    try {
      const { first, last, n } = this.#ask(
        "SELECT min(id) AS first, max(id) AS last, count(*) AS n FROM " +
          `(SELECT id FROM activity WHERE id <= ? ORDER BY id LIMIT ${AT_ONCE})`,
        upto,
      );
      if (Number(n) === 0) return 0;
      const { days, entries } = this.#limits;
      const message =
        `${n} entries were removed (${first} to ${last}): the log keeps ${days} days and ${entries} entries, ` +
        `at least those of ${Math.min(days, MIN_DAYS)} days`;
      const done = this.#activity.recordWith(
        { actor: "kvm-manager", door: "agent", action: "prune_audit", result: "event", message },
        () => {
          const database = this.#store.database!;
          database.prepare("INSERT INTO audit_pruning (upto) VALUES (?)").run(Number(last));
          database.prepare("DELETE FROM activity WHERE id <= ?").run(Number(last));
          database.exec("DELETE FROM audit_pruning");
        },
      );
      return done ? Number(n) : 0;
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      return 0; // the store has said why
    }
  }

  /** The last entry that is one too many; 0 when none is. A few more may be: or each new one would push one out. */
  #tooMany(): number {
    const { first, last } = this.#ask("SELECT min(id) AS first, max(id) AS last FROM activity");
    const { entries } = this.#limits;
    const over = Number(last ?? 0) - Number(first ?? 0) + 1 - entries;
    return over > entries / 100 ? Number(last) - entries : 0;
  }

  /** The last entry before the first that is younger than so many days; 0 when none is older. */
  #olderThan(days: number): number {
    const since = this.#clock.now() - days * DAY_MS;
    const { id } = this.#ask("SELECT min(id) AS id FROM activity WHERE timestamp >= ?", since);
    if (id !== null) return Number(id) - 1;
    return Number(this.#ask("SELECT coalesce(max(id), 0) AS id FROM activity").id);
  }

  /** One row. @throws {ContractError} StoreUnavailable */
  #ask(sql: string, ...values: number[]): Record<string, unknown> {
    const { database } = this.#store;
    if (!database) throw this.#unavailable();
    try {
      return database.prepare(sql).get(...values) ?? {};
    } catch (error) {
      this.#store.fail(error);
      throw this.#unavailable();
    }
  }

  #unavailable(): ContractError {
    return new ContractError("StoreUnavailable", { reason: this.#store.trouble ?? "it is not open" });
  }
}
