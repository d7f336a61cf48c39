/**
 * The contract: the one list of what the system can do. REST, OpenAPI, the uniform command door, the CLI, the
 * typed client, role checks and audit rows are all derived from `COMMANDS`.
 */
import { accessCommands } from "./access_commands.ts";
import { alertTargetCommands } from "./alerts.ts";
import { alertCommands } from "./alerts_commands.ts";
import { auditedForAdministrators } from "./access_rules.ts";
import { auditCommands } from "./audit.ts";
import { passkeyCommands } from "./passkeys.ts";
import { sshKeyCommands } from "./ssh_keys.ts";
import type { InputOf, OutputOf } from "./command.ts";
import { binCommands } from "./bin.ts";
import { certificateCommands } from "./certificate.ts";
import { credentialCommands } from "./credentials.ts";
import { consoleCommands } from "./console.ts";
import { cloudInitCommands } from "./cloud_init.ts";
import { createCommands } from "./create.ts";
import { deviceCommands } from "./devices_commands.ts";
import { nicCommands } from "./nics_commands.ts";
import { filterCommands } from "./filters.ts";
import { foreignCommands } from "./foreign.ts";
import { forwardCommands } from "./forwards.ts";
import { guestCommands } from "./guest.ts";
import { hardwareCommands } from "./hardware.ts";
import { healthCommands } from "./health.ts";
import { hostCommands } from "./host.ts";
import { hostListCommands } from "./hosts.ts";
import { hostDeviceCommands } from "./host_devices.ts";
import { imageCommands } from "./images.ts";
import { insightCommands } from "./insights.ts";
import { jobCommands } from "./jobs.ts";
import { maintenanceCommands } from "./maintenance.ts";
import { lockManagerCommands } from "./lock_manager.ts";
import { manageCommands } from "./manage.ts";
import { mcpCommands } from "./mcp.ts";
import { metricCommands, metricExportCommands, retentionCommands } from "./metrics.ts";
import { metricPushCommands } from "./metric_push.ts";
import { networkCommands } from "./networks.ts";
import { migrationCommands } from "./migration.ts";
import { ovaCommands } from "./ova.ts";
import { placementCommands } from "./placement.ts";
import { profileCommands } from "./profiles.ts";
import { projectCommands } from "./projects.ts";
import { projectVmCommands } from "./project_vms.ts";
import { backupTargetCommands } from "./backup_targets.ts";
import { backupCommands } from "./backups_commands.ts";
import { backupCopyCommands } from "./backup_copies_commands.ts";
import { replicationCommands } from "./replication.ts";
import { scheduleCommands } from "./schedules.ts";
import { searchCommands } from "./search.ts";
import { screenCommands } from "./screens.ts";
import { snapshotCommands } from "./snapshots.ts";
import { storageCommands } from "./storage.ts";
import { templateCommands } from "./templates.ts";
import { toolCommands, toolUseCommands } from "./tools.ts";
import { topologyCommands } from "./topology.ts";
import { transferCommands } from "./transfer.ts";
import { vmCommands } from "./vm_commands.ts";
import { vmBatchCommands } from "./vm_batch_commands.ts";
import { templateCopyCommands } from "./template_copies.ts";
import { volumeCopyCommands } from "./volume_copies.ts";
import { volumeCommands } from "./volumes.ts";

import { type OnHost, onHost } from "./on_host.ts";

/** Commands that are carried out on one host. */
const onOneHost = onHost({
  ...createCommands,
  ...cloudInitCommands,
  ...manageCommands,
  ...migrationCommands,
  ...maintenanceCommands,
  ...ovaCommands,
  ...foreignCommands,
  ...hardwareCommands,
  ...hostCommands,
  ...healthCommands,
  ...lockManagerCommands,
  ...deviceCommands,
  ...nicCommands,
  ...hostDeviceCommands,
  ...consoleCommands,
  ...screenCommands,
  ...snapshotCommands,
  ...guestCommands,
  ...storageCommands,
  ...volumeCommands,
  ...networkCommands,
  ...topologyCommands,
  ...filterCommands,
  ...forwardCommands,
  ...transferCommands,
  ...imageCommands,
  ...templateCommands,
  ...metricCommands,
  ...projectVmCommands,
});

export const COMMANDS = {
  ...vmCommands,
  ...vmBatchCommands,
  ...onOneHost,
  ...hostListCommands,
  ...jobCommands,
  ...searchCommands,
  ...volumeCopyCommands,
  ...templateCopyCommands,
  ...metricExportCommands,
  ...insightCommands,
  ...retentionCommands,
  ...metricPushCommands,
  ...scheduleCommands,
  ...placementCommands,
  ...projectCommands,
  ...toolUseCommands,
  ...backupCommands,
  ...backupCopyCommands,
  ...backupTargetCommands,
  ...replicationCommands,
  ...binCommands,
  ...alertCommands,
  ...certificateCommands,
  ...credentialCommands,
  ...auditedForAdministrators({
    ...accessCommands,
    ...auditCommands,
    ...passkeyCommands,
    ...sshKeyCommands,
    ...alertTargetCommands,
    ...mcpCommands,
    ...profileCommands,
    ...toolCommands,
  }),
};

export type Commands = typeof COMMANDS;
export type CommandName = keyof Commands;
export type Input<N extends CommandName> = Inputs[N];
export type Output<N extends CommandName> = Outputs[N];
/** Command → what it takes and gives: each is worked out once, not for each use of a name. */
type Inputs = {
  readonly [N in CommandName]: N extends keyof typeof onOneHost ? InputOf<Commands[N]> & OnHost
    : InputOf<Commands[N]>;
};
type Outputs = { readonly [N in CommandName]: OutputOf<Commands[N]> };

export * from "./access.ts";
export {
  accessCommands,
  alertCommands,
  backupCommands,
  backupCopyCommands,
  deviceCommands,
  nicCommands,
  vmBatchCommands,
  vmCommands,
};
export * from "./access_rules.ts";
export * from "./alert_series.ts";
export * from "./alerts.ts";
export * from "./audit.ts";
export * from "./backup_targets.ts";
export * from "./backups.ts";
export * from "./bin.ts";
export * from "./certificate.ts";
export * from "./credentials.ts";
export * from "./cloud_init.ts";
export * from "./cloud_init_bounds.ts";
export * from "./command.ts";
export * from "./choices.ts";
export * from "./create.ts";
export * from "./create_options.ts";
export * from "./console.ts";
export * from "./device_limits.ts";
export * from "./devices.ts";
export * from "./errors.ts";
export * from "./events.ts";
export * from "./filters.ts";
export * from "./foreign.ts";
export * from "./forwards.ts";
export * from "./guest.ts";
export * from "./hardware.ts";
export * from "./health.ts";
export * from "./host.ts";
export * from "./hosts.ts";
export * from "./search.ts";
export * from "./host_devices.ts";
export * from "./images.ts";
export * from "./insights.ts";
export * from "./jobs.ts";
export * from "./local_host.ts";
export * from "./maintenance.ts";
export * from "./lock_manager.ts";
export * from "./manage.ts";
export * from "./mcp.ts";
export * from "./metric_series.ts";
export * from "./metric_push.ts";
export * from "./metrics.ts";
export * from "./networks.ts";
export * from "./on_host.ts";
export * from "./migration.ts";
export * from "./ova.ts";
export * from "./passkeys.ts";
export * from "./placement.ts";
export * from "./profiles.ts";
export * from "./projects.ts";
export * from "./project_vms.ts";
export * from "./ssh_keys.ts";
export * from "./replication.ts";
export * from "./schedules.ts";
export * from "./screens.ts";
export * from "./search.ts";
export * from "./snapshots.ts";
export * from "./storage.ts";
export * from "./template_copies.ts";
export * from "./templates.ts";
export * from "./tools.ts";
export * from "./topology.ts";
export * from "./transfer.ts";
export * from "./vm.ts";
export * from "./volume_copies.ts";
export * from "./volumes.ts";
