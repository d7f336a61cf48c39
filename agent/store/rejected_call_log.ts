/**
 * Commands that failed, for the audit log: however many there are, they make few rows. Whoever is not signed in gets one
 * row for each network, command and kind of failure in a time span, and one with the count of the others at its end. So
 * do users beyond a number of failures. Each has a quota, so that no caller can push out the records of others.
 */
import { type Clock, SYSTEM_CLOCK } from "../clock.ts";
import { message as inWords } from "../../lib/i18n/message.ts";
import { clientSubnet } from "../limits.ts";
import type { ActivityEntry } from "./activity.ts";

/** Milliseconds of a time span. */
export const SPAN_MS = 15 * 60_000;
/** Rows in a time span that tell of single failures: of everybody who is not signed in together, and of one user. */
export const MOST_ROWS = { anonymous: 20, user: 100 } as const;
/** Sums in a time span, of each of these; what is beyond becomes one more. */
const MOST_SUMS = 20;
/** Account names that a sum lists. */
const MOST_NAMES = 10;

/** Data of a failure in addition to its entry. */
export interface Refusal {
  /** Code of the error. */
  readonly code: string;
  readonly isAnonymous: boolean;
}

interface Sum {
  /** The last of them. */
  entry: ActivityEntry;
  count: number;
  readonly since: number;
  readonly networks: Set<string>;
  readonly names: Set<string>;
}
interface Quota {
  rows: number;
  /** Kinds that have a row. */
  readonly told: Set<string>;
  readonly sums: Map<string, Sum>;
}

export class RejectedCallLog {
  readonly #quotas = new Map<string, Quota>();
  #begun: number | undefined;

  /** @param record writes a row */
  constructor(
    private readonly record: (entry: ActivityEntry) => void,
    private readonly clock: Clock = SYSTEM_CLOCK,
  ) {}

  /** Takes note of a failure: by a row of its own, or in a sum. */
  add(entry: ActivityEntry, { code, isAnonymous }: Refusal): void {
    this.tidy();
    this.#begun ??= this.clock.monotonic();
    const who = isAnonymous ? "" : entry.actor;
    let quota = this.#quotas.get(who);
    if (!quota) this.#quotas.set(who, quota = { rows: 0, told: new Set(), sums: new Map() });
    const network = clientSubnet(entry.address ?? "");
    const kind = JSON.stringify([network, entry.action, code]);
    const isTold = isAnonymous && quota.told.has(kind);
    if (!isTold && quota.rows < MOST_ROWS[isAnonymous ? "anonymous" : "user"]) {
      quota.rows++;
      quota.told.add(kind);
      return this.record(entry);
    }
    const key = quota.sums.has(kind) || quota.sums.size < MOST_SUMS ? kind : "";
    let sum = quota.sums.get(key);
    if (!sum) {
      quota.sums.set(
        key,
        sum = { entry, count: 0, since: this.clock.now(), networks: new Set(), names: new Set() },
      );
    }
    sum.entry = entry;
    sum.count++;
    if (sum.networks.size < MOST_SUMS) sum.networks.add(network);
    const { name } = (entry.input ?? {}) as { name?: unknown };
    if (typeof name === "string" && sum.names.size < MOST_NAMES) sum.names.add(name);
  }

  /** Writes the sums of a time span that is over. */
  tidy(): void {
    if (this.#begun !== undefined && this.clock.monotonic() - this.#begun >= SPAN_MS) this.close();
  }

  /** Writes all sums: the time span ends. */
  close(): void {
    for (const { sums } of this.#quotas.values()) for (const [key, sum] of sums) this.record(rowOf(key, sum));
    this.#quotas.clear();
    this.#begun = undefined;
  }
}

/** A sum's row. The one of what was beyond the quota covers all kinds together. */
function rowOf(key: string, { entry, count, since, networks, names }: Sum): ActivityEntry {
  const { actor, door, action, address, message } = entry;
  const input = {
    count,
    since,
    ...(names.size > 0 && { names: [...names] }),
    ...(key === "" && { networks: [...networks] }),
  };
  const what = key === "" ? "failures of several kinds, the last one" : "of the same kind";
  return {
    actor,
    door,
    action,
    input,
    result: "error",
    message: inWords`${count} more ${what}: ${message ?? ""}`,
    ...(key !== "" && address !== undefined && { address }),
  };
}
