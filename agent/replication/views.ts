/** Replications and replicas as they are told. */
import { type Output, REPLICATION_SECONDS } from "../../lib/contract/mod.ts";
import { formatSpan } from "../../lib/text/time.ts";
import { oneLine } from "../../lib/text/text.ts";
import type { ReplicaLag } from "../alerts/watcher.ts";
import type { Unrendered } from "../../lib/i18n/message.ts";
import type { OutgoingReplications } from "./outgoing.ts";
import type { ReplicationRecords, StoredReplica, StoredReplication } from "./records.ts";

/** Intervals that a replica may be behind, and seconds at least, where nothing else is said. */
const LAG = { intervals: 3, leastSeconds: 600 } as const;

/** Seconds that a replica may be behind by itself. */
export const usualLag = (everySeconds: number): number =>
  Math.max(LAG.leastSeconds, LAG.intervals * everySeconds);

/** How far behind it is. @param since when it was created: before the first increment the age counts from there */
function lagOf(takenAt: number | null, since: number, mostSeconds: number, now: number) {
  const ageSeconds = Math.max(0, Math.round((now - (takenAt ?? since)) / 1000));
  return { takenAt, lagSeconds: takenAt === null ? null : ageSeconds, late: ageSeconds > mostSeconds };
}

/** A replication. */
export function replicationView(
  stored: StoredReplication,
  outgoing: OutgoingReplications,
  now: number,
): Unrendered<Output<"list_replications">[number]> {
  const { id, vmId, vmName, toHost, everySeconds, maxLagSeconds, maxMibPerSecond, createdAt, lost } = stored;
  const state = lost === undefined
    ? stored.isPaused ? "paused" : "active"
    : lost.isUndecided
    ? "undecided"
    : "lost";
  const lag = lagOf(stored.finished?.takenAt ?? null, createdAt, maxLagSeconds, now);
  return {
    id,
    vmId,
    vmName,
    toHost,
    state,
    everySeconds,
    maxLagSeconds,
    maxMibPerSecond,
    createdAt,
    ...(stored.networks !== undefined && stored.networks.length > 0 && { networks: [...stored.networks] }),
    ...lag,
    late: lag.late && state === "active",
    running: outgoing.isRunning(id),
    next: outgoing.nextOf(stored),
    lastRun: stored.lastRun,
  };
}

/** A replica. */
export function replicaView(stored: StoredReplica, now: number): Output<"list_replicas">[number] {
  const { id, vmId, vmName, from, pool, folder, bytes, everySeconds, createdAt, promoted, test } = stored;
  const lag = lagOf(stored.finished?.takenAt ?? null, createdAt, usualLag(everySeconds), now);
  return {
    id,
    vmId,
    vmName,
    from,
    state: promoted === undefined ? "replica" : "promoted",
    pool,
    folder,
    bytes,
    everySeconds,
    createdAt,
    ...lag,
    late: lag.late && promoted === undefined,
    promotedAt: promoted?.at ?? null,
    test: test === undefined ? null : { vmId: test.uuid, name: test.name, since: test.since },
  };
}

/** Seconds between two increments of a new replication. */
export const USUAL_SECONDS = REPLICATION_SECONDS.usual;

/** Lags of replications, for alerts. */
export function lagsOf(
  { outgoing: sent, incoming }: ReplicationRecords,
  outgoing: OutgoingReplications,
  now: number,
): ReplicaLag[] {
  const behind = (lagSeconds: number | null) =>
    lagSeconds === null ? "has no whole increment yet" : `is ${formatSpan(lagSeconds * 1000)} behind`;
  return [
    ...sent.all().map((stored) => {
      const { vmName, toHost, late: isLate, lagSeconds } = replicationView(stored, outgoing, now);
      const label = `${oneLine(vmName, 60)} to ${toHost}`;
      return {
        label,
        isLate,
        text: `The replica of ${oneLine(vmName, 60)} on ${toHost} ${behind(lagSeconds)}`,
      };
    }),
    ...incoming.all().map((stored) => {
      const { vmName, from, late: isLate, lagSeconds } = replicaView(stored, now);
      const label = `${oneLine(vmName, 60)} from ${oneLine(from, 60)}`;
      return { label, isLate, text: `The replica of ${label} ${behind(lagSeconds)}` };
    }),
  ];
}
