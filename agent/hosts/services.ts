/** Services of the application that a host has. */
import type { CommandName } from "../../lib/contract/mod.ts";
import type { Clock } from "../clock.ts";
import type { Dispatch } from "../dispatch.ts";
import type { EventHub } from "../events/hub.ts";
import type { HostPart } from "../feature_part.ts";
import type { Jobs } from "../jobs/jobs.ts";
import type { SimulationOf } from "../libvirt/simulation.ts";
import type { StepRules } from "../operations/settlement.ts";
import type { BinRecords } from "../storage/bin/records.ts";
import type { Membership } from "./projects.ts";
import type { LeftDisks } from "../storage/images/left_disks.ts";
import type { ActivityLog } from "../store/activity.ts";
import type { Store } from "../store/store.ts";
import type { LibvirtHost } from "./libvirt_host.ts";
import type { HostRegistry } from "./registry.ts";
import type { SshFiles } from "./ssh/files.ts";

export interface HostServices {
  readonly clock: Clock;
  readonly hub: EventHub;
  readonly store: Store;
  readonly jobs: Jobs;
  readonly activity: Pick<ActivityLog, "record">;
  readonly dispatch: Dispatch;
  /** How the steps of operations are settled. */
  readonly stepRules: StepRules;
  /** All hosts: whose a VM is depends on what the others have. */
  readonly hosts: Pick<HostRegistry, "all" | "isForeign" | "placed" | "served" | "vm" | "wasRead">;
  /** How hosts are reached by SSH. */
  readonly ssh: SshFiles;
  readonly simulationOf: SimulationOf;
  readonly bin: BinRecords;
  /** Project and end date of a VM. */
  readonly membershipOf: (vmId: string) => Membership;
  readonly leftDisks: LeftDisks;
  /** The features' parts for a host that is being created. */
  partsOn(host: LibvirtHost): HostPart<CommandName>[];
}
