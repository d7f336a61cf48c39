/**
 * The contract: the one list of what the system can do. REST, OpenAPI, the uniform command door, the CLI, the
 * typed client, role checks and audit rows are all derived from `COMMANDS`.
 */
import { accessCommands } from "./access.ts";
import { auditCommands } from "./audit.ts";
import { passkeyCommands } from "./passkeys.ts";
import type { InputOf, OutputOf } from "./command.ts";
import { certificateCommands } from "./certificate.ts";
import { consoleCommands } from "./console.ts";
import { cloudInitCommands } from "./cloud_init.ts";
import { createCommands } from "./create.ts";
import { deviceCommands } from "./devices.ts";
import { filterCommands } from "./filters.ts";
import { forwardCommands } from "./forwards.ts";
import { hardwareCommands } from "./hardware.ts";
import { healthCommands } from "./health.ts";
import { hostCommands } from "./host.ts";
import { imageCommands } from "./images.ts";
import { jobCommands } from "./jobs.ts";
import { manageCommands } from "./manage.ts";
import { networkCommands } from "./networks.ts";
import { screenCommands } from "./screens.ts";
import { storageCommands } from "./storage.ts";
import { topologyCommands } from "./topology.ts";
import { transferCommands } from "./transfer.ts";
import { vmCommands } from "./vm.ts";
import { volumeCommands } from "./volumes.ts";

export const COMMANDS = {
  ...vmCommands,
  ...createCommands,
  ...cloudInitCommands,
  ...manageCommands,
  ...hardwareCommands,
  ...hostCommands,
  ...healthCommands,
  ...deviceCommands,
  ...consoleCommands,
  ...screenCommands,
  ...storageCommands,
  ...volumeCommands,
  ...networkCommands,
  ...topologyCommands,
  ...filterCommands,
  ...forwardCommands,
  ...jobCommands,
  ...transferCommands,
  ...imageCommands,
  ...accessCommands,
  ...certificateCommands,
  ...auditCommands,
  ...passkeyCommands,
};

export type Commands = typeof COMMANDS;
export type CommandName = keyof Commands;
export type Input<N extends CommandName> = InputOf<Commands[N]>;
export type Output<N extends CommandName> = OutputOf<Commands[N]>;

export * from "./access.ts";
export * from "./audit.ts";
export * from "./cloud_init.ts";
export * from "./cloud_init_bounds.ts";
export * from "./command.ts";
export * from "./choices.ts";
export * from "./create.ts";
export * from "./create_options.ts";
export * from "./console.ts";
export * from "./devices.ts";
export * from "./errors.ts";
export * from "./events.ts";
export * from "./filters.ts";
export * from "./forwards.ts";
export * from "./hardware.ts";
export * from "./health.ts";
export * from "./host.ts";
export * from "./images.ts";
export * from "./jobs.ts";
export * from "./manage.ts";
export * from "./networks.ts";
export * from "./passkeys.ts";
export * from "./screens.ts";
export * from "./storage.ts";
export * from "./topology.ts";
export * from "./transfer.ts";
export * from "./vm.ts";
export * from "./volumes.ts";
