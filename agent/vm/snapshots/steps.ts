/** Snapshots as steps: taken, and gone back to. */
import type { StepRules } from "../../operations/settlement.ts";
import { disksSwitched } from "./disks_switched.ts";
import { disksReverted } from "./revert.ts";
import { snapshotMade, snapshotReverted } from "./within.ts";

/** How the steps of snapshots are settled. */
export const snapshotSteps = {
  "disks-reverted": disksReverted,
  "disks-switched": disksSwitched,
  "snapshot-made": snapshotMade,
  "snapshot-reverted": snapshotReverted,
} satisfies Partial<StepRules>;
