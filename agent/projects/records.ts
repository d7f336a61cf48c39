/** Projects, and which VMs are in them, as they are kept. */
import type { ProjectDefaults, ProjectQuota } from "../../lib/contract/mod.ts";
import type { VmSize } from "../../lib/projects/quota.ts";
import { jsonTable } from "../store/json_rows.ts";

export const PROJECT_MIGRATIONS = [
  jsonTable("projects", "a project"),
  jsonTable("project_vms", "project and end date of a VM; the id is the VM's"),
];

export interface StoredProject {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly quota: ProjectQuota;
  readonly defaults: ProjectDefaults;
  readonly pools: readonly string[];
  readonly networks: readonly string[];
  readonly images: readonly string[];
  readonly createdAt: number;
}

/** How far the end date of a VM has been told. */
export type EndTold = "week" | "day" | "over";

export interface StoredVm {
  /** Of the VM. */
  readonly id: string;
  readonly name: string;
  /** Id of the project; null for a VM that only has an end date. */
  readonly project: string | null;
  /** Size when it was read last, or admitted. */
  readonly size: VmSize;
  /** Milliseconds since 1970; null without an end date. */
  readonly endsAt: number | null;
  readonly told: EndTold | null;
}
