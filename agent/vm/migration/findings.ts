/** Obstacles to a VM's move, as one host finds them and the other one shows them. */
import { oneLine } from "../../../lib/text/text.ts";
import { migration } from "../../../lib/i18n/en/migration.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import type { MigrationFinding } from "../../../lib/host/migration_protocol.ts";

export const { t } = textsOf(migration);

/** Check → its text. Both hosts know checks by these names: they are added to, and none changes its meaning. */
const TEXTS = {
  "devices": "migration.check.devices",
  "shared-folders": "migration.check.shared_folders",
  "shared-memory": "migration.check.shared_memory",
  "vdpa": "migration.check.vdpa",
  "acceleration": "migration.check.acceleration",
  "transient": "migration.check.transient",
  "encrypted": "migration.check.encrypted",
  "snapshots": "migration.check.snapshots",
  "snapshots-dropped": "migration.check.snapshots_dropped",
  "snapshot-memory": "migration.check.snapshot_memory",
  "snapshot-image": "migration.check.snapshot_image",
  "image-apart": "migration.check.image_apart",
  "image-pool": "migration.check.image_pool",
  "checkpoint": "migration.check.checkpoint",
  "copied": "migration.check.copied",
  "changed-disk": "migration.check.changed_disk",
  "disk-kind": "migration.check.disk_kind",
  "shareable": "migration.check.shareable",
  "medium": "migration.check.medium",
  "not-local": "migration.check.not_local",
  "source-not-local": "migration.check.source_not_local",
  "maintenance": "migration.check.maintenance",
  "placement": "migration.check.placement",
  "name-taken": "migration.check.name_taken",
  "id-taken": "migration.check.id_taken",
  "arch": "migration.check.arch",
  "kvm": "migration.check.kvm",
  "machine": "migration.check.machine",
  "emulator": "migration.check.emulator",
  "firmware": "migration.check.firmware",
  "cpu-mode": "migration.check.cpu_mode",
  "no-network": "migration.check.no_network",
  "network-off": "migration.check.network_off",
  "no-bridge": "migration.check.no_bridge",
  "memory": "migration.check.memory",
  "covered": "migration.check.covered",
  "rights": "migration.check.rights",
  "cpu": "migration.check.cpu",
  "dirty": "migration.check.dirty",
  "direct": "migration.check.direct",
  "compression-one": "migration.check.compression_one",
  "compression-several": "migration.check.compression_several",
  "compression-version": "migration.check.compression_version",
  "no-pool": "migration.check.no_pool",
  "pool": "migration.check.pool",
  "room": "migration.check.room",
  "agentless-live": "migration.check.agentless_live",
  "agentless-snapshots": "migration.check.agentless_snapshots",
  "agentless-state": "migration.check.agentless_state",
  "agentless-disk": "migration.check.agentless_disk",
  "agentless-base": "migration.check.agentless_base",
  "agentless-format": "migration.check.agentless_format",
  "bridge-unseen": "migration.check.bridge_unseen",
} as const satisfies Record<string, keyof typeof migration>;

/** Name of a check. */
export type MigrationCheck = keyof typeof TEXTS;

const finding =
  (isProblem: boolean) =>
  (check: MigrationCheck, names: Readonly<Record<string, string>> = {}): MigrationFinding => ({
    check,
    isProblem,
    names: Object.fromEntries(Object.entries(names).map(([name, value]) => [name, value.slice(0, 1000)])),
  });

/** Something that keeps a VM where it is. */
export const problem = finding(true);
/** Something that is worth knowing before it moves. */
export const warning = finding(false);

/** A finding for people. What the other host says is one line, whatever is in it. @param host the one it is to move to */
export function findingText({ check, names }: MigrationFinding, host: string): string {
  const shown = Object.fromEntries(Object.entries(names).map(([name, value]) => [name, oneLine(value, 300)]));
  const args = { ...shown, host };
  if (!Object.hasOwn(TEXTS, check)) return t("migration.check.unknown", { host, check: oneLine(check, 40) });
  return t(TEXTS[check as MigrationCheck], args as never);
}
