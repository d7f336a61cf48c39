/** The snapshots that a schedule takes: each VM keeps so many of them, the oldest beyond are deleted. */
import type { Api } from "../../lib/contract/api.ts";
import { toPrune } from "../../lib/backup/retention.ts";
import { snapshotNameAt } from "../../lib/vm/snapshots.ts";

/** The part of the API that manages snapshots. */
export type SnapshotApi = Pick<Api, "createSnapshot" | "listSnapshots" | "deleteSnapshot">;

/** The schedule that they belong to. */
export interface SnapshotSchedule {
  readonly id: string;
  readonly name: string;
  /** How many a VM keeps. */
  readonly keep: number;
}

/** Prefix of a schedule's snapshots, by its id: it may be renamed, and users have snapshots of their own. */
export const snapshotPrefix = ({ id }: Pick<SnapshotSchedule, "id">): string => `schedule-${id.slice(0, 8)}`;

/**
 * Takes a snapshot of a VM, then deletes those of the same schedule that are too many. Users' snapshots are never
 * touched.
 *
 * @throws {ContractError} the refusals of the commands
 */
export async function takeSnapshot(
  api: SnapshotApi,
  vmId: string,
  schedule: SnapshotSchedule,
  now: number,
): Promise<void> {
  const prefix = snapshotPrefix(schedule);
  const description = `By the schedule “${schedule.name}”`;
  const made = snapshotNameAt(now, prefix);
  await api.createSnapshot({ vmId, name: made, description });
  const { snapshots } = await api.listSnapshots({ vmId });
  const own = snapshots.filter(({ name }) => name.startsWith(`${prefix}-`))
    .map(({ name, createdAt }) => ({ id: name, takenAt: createdAt }));
  // So many of them, of no days: the zone plays no part
  const retention = { keep: schedule.keep, keepDaily: 0, keepWeekly: 0, keepMonthly: 0, keepYearly: 0 };
  for (
    const { id: name } of toPrune(own, retention, {
      now,
      made: new Set([made]),
      timeZone: "UTC",
    })
  ) {
    await api.deleteSnapshot({ vmId, name });
  }
}
