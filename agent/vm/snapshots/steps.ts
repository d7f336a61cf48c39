/** Snapshots as steps: a VM that goes back. */
import type { StepRules } from "../../operations/settlement.ts";
import { disksReverted } from "./revert.ts";

/** How the steps of snapshots are settled. */
export const snapshotSteps = { "disks-reverted": disksReverted } satisfies Partial<StepRules>;
