/** Errors: snapshots. */
import type { ErrorKind } from "./kind.ts";

export const SNAPSHOT_ERRORS = {
  SnapshotNotFound: { text: "Snapshot not found: {name}", status: 404, exit: 4 },
  SnapshotExists: { text: "The VM has a snapshot of this name: {name}", status: 409, exit: 5 },
  SnapshotNotPossible: { text: "No snapshot of this VM can be taken: {reason}", status: 409, exit: 5 },
  SnapshotNotRevertable: {
    text: "The VM cannot be reverted to {name}: {reason}",
    status: 409,
    exit: 5,
  },
  SnapshotNotDeletable: {
    text: "The snapshot {name} cannot be deleted: {reason}",
    status: 409,
    exit: 5,
  },
  SnapshotFailed: { text: "Failed to create snapshot: {error}", status: 502, exit: 1 },
  SnapshotRevertFailed: { text: "Failed to revert to snapshot: {error}", status: 502, exit: 1 },
  SnapshotDeleteFailed: { text: "Failed to delete snapshot: {error}", status: 502, exit: 1 },
} as const satisfies Record<string, ErrorKind>;
