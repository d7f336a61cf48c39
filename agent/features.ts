/** Every feature, in one list. A new noun is added here, and nowhere else in the agent. */
import type { CommandName } from "../lib/contract/mod.ts";
import { accessFeature, auditFeature, passkeyFeature } from "./access/feature.ts";
import { alertFeature } from "./alerts/feature.ts";
import { backupFeature } from "./backups/feature.ts";
import { binFeature } from "./bin/feature.ts";
import { certificateFeature } from "./system/certificate/feature.ts";
import { consoleFeature } from "./console/feature.ts";
import { credentialFeature } from "./hosts/credentials/feature.ts";
import type { Handlers } from "./dispatch.ts";
import { guestFeature } from "./guest/feature.ts";
import { healthFeature } from "./system/doctor/feature.ts";
import type { Feature, OpenFeature } from "./feature.ts";
import type { Part } from "./feature_part.ts";
import { maintenanceFeature } from "./maintenance/feature.ts";
import { placementFeature } from "./placement/feature.ts";
import { profileFeature } from "./profiles/feature.ts";
import { projectFeature } from "./projects/feature.ts";
import { forwardFeature } from "./network/forwards/feature.ts";
import { hostFeature } from "./hosts/feature.ts";
import { imageFeature } from "./storage/images/feature.ts";
import { lockManagerFeature } from "./system/lock_manager/feature.ts";
import { insightFeature } from "./insights/feature.ts";
import { jobFeature } from "./jobs/feature.ts";
import { searchFeature } from "./search/feature.ts";
import { mcpFeature } from "./mcp/feature.ts";
import { metricsFeature } from "./metrics/feature.ts";
import { networkFeature } from "./network/feature.ts";
import { clockFeature } from "./store/clock_feature.ts";
import { databaseWatchFeature } from "./store/watch_feature.ts";
import { changeSteps } from "./operations/change_steps.ts";
import type { StepRules } from "./operations/settlement.ts";
import type { StepKind } from "./operations/step.ts";
import { replicationFeature } from "./replication/feature.ts";
import { scheduleFeature } from "./schedules/feature.ts";
import { screenFeature } from "./console/screens/feature.ts";
import { storageFeature } from "./storage/feature.ts";
import { templateFeature } from "./templates/feature.ts";
import { vmFeature } from "./vm/feature.ts";

const ALL = [
  clockFeature,
  databaseWatchFeature,
  accessFeature,
  passkeyFeature,
  auditFeature,
  certificateFeature,
  jobFeature,
  searchFeature,
  hostFeature,
  credentialFeature,
  healthFeature,
  placementFeature,
  projectFeature,
  profileFeature,
  maintenanceFeature,
  lockManagerFeature,
  vmFeature,
  screenFeature,
  consoleFeature,
  guestFeature,
  networkFeature,
  forwardFeature,
  storageFeature,
  imageFeature,
  templateFeature,
  metricsFeature,
  scheduleFeature,
  backupFeature,
  replicationFeature,
  binFeature,
  alertFeature,
  insightFeature,
  mcpFeature,
] as const;

/** The commands that a feature has handlers for. */
type CommandsOf<F> = F extends Feature<infer A, infer H, infer _S> ? A | H : never;
/** A command of the contract without a handler does not compile: its name stands in the error. */
type Missing = Exclude<CommandName, CommandsOf<typeof ALL[number]>>;
const complete: [Missing] extends [never] ? true : Missing = true;
void complete;

export const FEATURES: readonly Feature<CommandName, CommandName, StepKind>[] = ALL as never;

/** The kinds of steps that a feature settles. */
type StepsOf<F> = F extends Feature<infer _A, infer _H, infer S> ? S : never;
/** A kind of step without a settling rule does not compile: its name stands in the error. */
type Unsettled = Exclude<StepKind, StepsOf<typeof ALL[number]> | keyof typeof changeSteps>;
const settled: [Unsettled] extends [never] ? true : Unsettled = true;
void settled;

/** How each kind of step is settled. */
export const STEP_RULES: StepRules = Object.assign({}, changeSteps, ...FEATURES.map(({ steps }) => steps));

/** The handlers of several parts as one table. @throws {Error} when two parts have the same command */
export function handlersOf(parts: readonly (Part<CommandName> | OpenFeature)[]): Partial<Handlers> {
  const table: Partial<Handlers> = {};
  for (const { handlers = {} } of parts) {
    for (const name of Object.keys(handlers)) {
      if (Object.hasOwn(table, name)) throw new Error(`two features carry ${name} out`);
    }
    Object.assign(table, handlers);
  }
  return table;
}
