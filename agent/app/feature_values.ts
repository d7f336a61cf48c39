/** Values that features provide for each other. */
import type { Backup, MaintenanceSummary, Schedule } from "../../lib/contract/mod.ts";
import { type GuardTools } from "../dispatch.ts";
import type { TellLimits } from "../hosts/linked/command_forwarder.ts";
import type { PeerTargets } from "../hosts/linked/peer_targets.ts";
import type { MoveQueue } from "../vm/migration/move_queue.ts";
import type { Placement, RulesAgainst } from "../placement/placement.ts";
import type { ReplicaLag } from "../alerts/watcher.ts";
import type { McpDoor } from "../mcp/door.ts";
import type { FigureTransfer } from "../metrics/transfer.ts";
import type { SummariseMetrics } from "../metrics/stored_metrics.ts";
import { Provided } from "../provided.ts";

/** Values of features that other features use: each is provided once, while the features are opened. */
export class FeatureValues {
  /** Backups and schedules as they are told, for what watches them. */
  readonly backupList = new Provided<() => Backup[]>("backups");
  /** Targets of alerts that users of linked KVM Managers have set up here. */
  readonly peerTargets = new Provided<PeerTargets>("targets of linked KVM Managers");
  /** How far replicas are behind. */
  readonly replicaLags = new Provided<() => ReplicaLag[]>("replications");
  readonly scheduleList = new Provided<() => Schedule[]>("schedules");
  /** How many VMs leave a host, and come to one, at once. */
  readonly moveLimit = new Provided<(hostId: string) => number>("limits of moves");
  /** VMs that move, and wait to. */
  readonly moves = new Provided<MoveQueue>("moves");
  /** Rules of placement that a VM would go against on a host. */
  readonly rulesAgainst = new Provided<RulesAgainst>("rules of placement");
  readonly placement = new Provided<Placement>("placement rules");
  /** Summary of a host's maintenance for lists of hosts. */
  readonly maintenanceOf = new Provided<(hostId: string) => MaintenanceSummary | undefined>(
    "maintenance of hosts",
  );
  /** Sums of that. */
  readonly figureTransfer = new Provided<FigureTransfer>("transfers of metrics");
  readonly metricSummaries = new Provided<SummariseMetrics>("summaries of metrics");
  /** Door of MCP clients. */
  readonly mcp = new Provided<McpDoor>("MCP");
  /** Refuses what the tools of profiles do not allow. */
  readonly guardTools = new Provided<GuardTools>("tools of profiles");
  /** The limits of tools, as a linked host is told them with a call. */
  readonly toldLimits = new Provided<TellLimits>("limits of tools");
}
