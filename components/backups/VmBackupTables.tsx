import type { Backup, VmBackups } from "../../lib/contract/mod.ts";
import {
  backupHref,
  bootedOf,
  consistencyText,
  totalSizes,
  verifiedOf,
  whenText,
} from "../../lib/backup/describe.ts";
import { backups as texts } from "../../lib/i18n/en/backups.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { oneLine } from "../../lib/text/text.ts";
import { DataTable } from "../kit/DataTable.tsx";
import { Empty } from "../kit/Empty.tsx";
import { Panel } from "../kit/Panel.tsx";
import { RelativeTime } from "../kit/RelativeTime.tsx";
import { RunState } from "../schedules/RunState.tsx";
import { BackupSize } from "./BackupSize.tsx";
import { NextBackup } from "./NextBackup.tsx";
import { Booted, Verified } from "./Verified.tsx";
import { AddToJob, BackUpNow, type JobChoice } from "./VmBackupActions.tsx";

const { t } = textsOf(texts);

/** Rights of the user on backups. */
export interface BackupRights {
  create: boolean;
  run: boolean;
  restore: boolean;
}

/** Props of {@link VmBackupTables}. */
export interface VmBackupTablesProps {
  vmId: string;
  list: VmBackups;
  /** The jobs that the VM can be added to. */
  others: readonly JobChoice[];
  may: BackupRights;
  now: number;
}

/** Whether a job may copy other VMs than this one. */
const hasOthers = ({ targets: { all, vmIds, tags, groups, hidden } }: Backup, vmId: string): boolean =>
  all === true || hidden === true || tags.length + groups.length > 0 || vmIds.some((id) => id !== vmId);
/** The jobs that include a VM, with its newest copy in each. */
function JobsTable({ vmId, list: { backups, copies }, may, now }: Omit<VmBackupTablesProps, "others">) {
  const at = `/vms/${vmId}/backups`;
  const lastOf = (backup: Backup) => copies.find(({ backupId }) => backupId === backup.id);
  return (
    <DataTable
      label={t("backups.jobs")}
      rows={backups}
      keyOf={({ id }) => id}
      attributesOf={({ id }) => ({ "data-backup": id })}
      columns={[
        {
          title: t("backups.name"),
          cell: ({ id, name }) => (
            <a href={backupHref(id)}>
              <bdi>{oneLine(name, 60)}</bdi>
            </a>
          ),
        },
        { title: t("backups.when"), fit: "wrap", cell: whenText },
        { title: t("backups.next"), cell: (backup) => <NextBackup backup={backup} /> },
        {
          title: t("backups.last"),
          cell: (backup) => {
            const last = lastOf(backup);
            if (backup.running && backup.lastRun !== null) return <RunState run={backup.lastRun} />;
            return last?.copy.takenAt
              ? <RelativeTime at={last.copy.takenAt} now={now} />
              : (
                <span class="text-muted">
                  {t(last === undefined ? "backups.never" : "backups.copy_failed")}
                </span>
              );
          },
        },
        {
          title: t("backups.verified"),
          cell: (backup) => {
            const last = lastOf(backup);
            return <Verified is={verifiedOf(last === undefined ? [] : [last.copy])} />;
          },
        },
        may.run && {
          title: t("backups.actions"),
          kind: "actions",
          cell: ({ id, name, running }) => (
            <form method="post" action={formHref("run_backup_now", { backupId: id }, at)}>
              <button
                type="submit"
                class="button small"
                aria-label={t("backups.run_of", { name })}
                disabled={running}
              >
                {t("backups.run")}
              </button>
            </form>
          ),
        },
      ]}
    />
  );
}

/** The copies of a VM. */
function CopiesTable({ vmId, list: { copies }, may, now }: Omit<VmBackupTablesProps, "others">) {
  return (
    <DataTable
      label={t("backups.copies")}
      rows={copies}
      keyOf={({ runId }) => runId}
      attributesOf={({ copy }) => ({ "data-copy": copy.state })}
      columns={[
        {
          title: t("backups.taken"),
          cell: ({ copy }) =>
            copy.takenAt === null
              ? <span class="text-muted">{t("backups.copy_failed")}</span>
              : <RelativeTime at={copy.takenAt} now={now} />,
        },
        {
          title: t("backups.backup"),
          cell: ({ backupId, backupName }) => (
            <a href={backupHref(backupId)}>
              <bdi>{oneLine(backupName, 60)}</bdi>
            </a>
          ),
        },
        {
          title: t("backups.consistency"),
          fit: "wrap",
          cell: ({ copy }) => (
            <span class="stack">
              <span>{consistencyText(copy)}</span>
              {copy.message !== null && (
                <span class="text-muted schedule-why">{oneLine(copy.message, 300)}</span>
              )}
            </span>
          ),
        },
        {
          title: t("backups.size"),
          fit: "wrap",
          cell: ({ copy }) => copy.state === "done" && <BackupSize {...totalSizes([copy])} />,
        },
        { title: t("backups.verified"), cell: ({ copy }) => <Verified is={verifiedOf([copy])} /> },
        { title: t("backups.booted"), cell: ({ copy }) => <Booted is={bootedOf([copy])} /> },
        may.restore && {
          title: t("backups.actions"),
          kind: "actions",
          cell: ({ backupId, runId, copy }) =>
            copy.state === "done" && (
              <a
                class="button small"
                href={`${backupHref(backupId)}/restore?${new URLSearchParams({
                  run: runId,
                  vm: vmId,
                })}`}
                aria-label={t("backups.restore_of", { name: copy.name })}
              >
                {t("backups.restore")}
              </a>
            ),
        },
      ]}
    />
  );
}

/** The backup jobs that include a VM, and its backups. */
export function VmBackupTables({ others, ...tables }: VmBackupTablesProps) {
  const { vmId, list: { backups, copies }, may } = tables;
  return (
    <div class="snapshots-page">
      <Panel title={t("backups.jobs")} aside={<BackUpNow vmId={vmId} jobs={backups} may={may} />}>
        {backups.length === 0
          ? (
            <Empty icon="download" title={t("backups.of_none")}>
              <p>{t("backups.of_none_what")}</p>
            </Empty>
          )
          : <JobsTable {...tables} />}
        {backups.some((backup) => hasOthers(backup, vmId)) && (
          <p class="text-muted pad">{t("backups.runs_whole")}</p>
        )}
        <AddToJob vmId={vmId} jobs={others} />
      </Panel>
      <Panel title={t("backups.copies")}>
        {copies.length === 0
          ? (
            <Empty icon="disc" title={t("backups.copies_none")}>
              <p>{t("backups.copies_none_what")}</p>
            </Empty>
          )
          : <CopiesTable {...tables} />}
      </Panel>
    </div>
  );
}
