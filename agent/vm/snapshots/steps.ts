/** Snapshots as steps: taken, and gone back to. */
import type { StepRules } from "../../operations/settlement.ts";
import { disksReverted } from "./revert.ts";
import { snapshotMade, snapshotReverted } from "./within.ts";

/** How the steps of snapshots are settled. */
export const snapshotSteps = {
  "disks-reverted": disksReverted,
  "snapshot-made": snapshotMade,
  "snapshot-reverted": snapshotReverted,
} satisfies Partial<StepRules>;
