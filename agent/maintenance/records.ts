/** Records of the maintenance of hosts. */
import type { DrainAction, Input, MaintenanceState, Output } from "../../lib/contract/mod.ts";
import type { Sentence } from "../../lib/i18n/message.ts";
import type { Delegator } from "../access/delegation.ts";
import { jsonTable } from "../store/json_rows.ts";

export const MAINTENANCE_MIGRATIONS = [
  jsonTable("host_maintenance", "limits and maintenance of a host, by its id"),
];

/** A VM that is moved away, shut down or left, and comes back. */
export interface StoredDrainedVm {
  readonly vmId: string;
  readonly name: string;
  readonly action: DrainAction;
  readonly toHost?: string;
  readonly state: Output<"get_maintenance">["vms"][number]["state"];
  readonly message?: Sentence;
  /** It ran, or was paused. */
  readonly wasActive: boolean;
  /** It started with the host, which was switched off. */
  readonly hadAutostart?: true;
}

/** Choices of the user who began it. */
export type StoredChoices = Pick<Input<"start_maintenance">, "vms" | "off" | "breakRules">;

/** Limits and maintenance of one host. */
export interface StoredMaintenance {
  /** Of the host. */
  readonly id: string;
  readonly movesAtOnce?: number;
  readonly state: MaintenanceState;
  /** Milliseconds since 1970. */
  readonly since: number | null;
  readonly reason: string;
  readonly owner?: Delegator;
  readonly choices: StoredChoices;
  /** Whether it was decided what becomes of each VM. */
  readonly isPlanned: boolean;
  readonly stopped?: Sentence;
  readonly vms: readonly StoredDrainedVm[];
}

/** Of a host that nothing was set for. */
export const unset = (id: string): StoredMaintenance => ({
  id,
  state: "off",
  since: null,
  reason: "",
  choices: {},
  isPlanned: false,
  vms: [],
});
