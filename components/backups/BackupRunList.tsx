import type { Backup, BackupCopy, BackupRun } from "../../lib/contract/mod.ts";
import { backupHref, bootedOf, consistencyText, totalSizes, verifiedOf } from "../../lib/backup/describe.ts";
import { filesHref } from "../../lib/backup/files.ts";
import { backups as texts } from "../../lib/i18n/en/backups.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { formatWhen } from "../../lib/text/time.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { oneLine } from "../../lib/text/text.ts";
import { DataTable } from "../kit/DataTable.tsx";
import { Empty } from "../kit/Empty.tsx";
import { RunState } from "../schedules/RunState.tsx";
import { BackupSize } from "./BackupSize.tsx";
import { runAnchor } from "./BackupCalendar.tsx";
import { Booted, Verified } from "./Verified.tsx";

const area = textsOf(texts);

/** Rights of the user on runs. */
export interface BackupRunRights {
  verify: boolean;
  restore: boolean;
  /** Seeing screens of boot tests. */
  screen: boolean;
  files: boolean;
}

/** Props of {@link BackupRunList}. */
export interface BackupRunListProps {
  backup: Backup;
  runs: readonly BackupRun[];
  may: BackupRunRights;
  /** Address of the older runs, if there are some; `isOlder`: there are newer ones. */
  older?: string | undefined;
  isOlder?: boolean;
  /** Sends the form of a check; without it the browser does. */
  onVerify?: ((event: SubmitEvent) => void) | undefined;
}

/** One VM of a run: what is kept of it, and how it comes back. */
function Copies(
  { backup: { id }, run, may }: { backup: Backup; run: BackupRun; may: BackupRunRights },
) {
  const restoreHref = ({ vmId }: BackupCopy) =>
    `${backupHref(id)}/restore?${new URLSearchParams({ run: run.id, vm: vmId })}`;
  return (
    <DataTable
      label={area.t("backups.vms")}
      rows={run.copies}
      keyOf={({ vmId }) => vmId}
      attributesOf={({ state }) => ({ "data-copy": state })}
      columns={[
        { title: area.t("backups.vm"), cell: ({ name }) => <bdi>{oneLine(name, 60)}</bdi> },
        {
          title: area.t("backups.consistency"),
          fit: "wrap",
          cell: (copy) => (
            <span class="stack">
              <span>{consistencyText(copy)}</span>
              {copy.message !== null && (
                <span class="text-muted schedule-why">{oneLine(copy.message, 300)}</span>
              )}
            </span>
          ),
        },
        {
          title: area.t("backups.size"),
          cell: (copy) => copy.state === "done" && <BackupSize {...totalSizes([copy])} />,
        },
        { title: area.t("backups.verified"), cell: (copy) => <Verified is={verifiedOf([copy])} /> },
        { title: area.t("backups.booted"), cell: (copy) => <Booted is={bootedOf([copy])} /> },
        (may.restore || may.files) && {
          title: area.t("backups.actions"),
          kind: "actions",
          cell: (copy) =>
            copy.state === "done" && (
              <div class="action-form">
                {may.files && copy.disks.length > 0 && (
                  <a
                    class="button small"
                    href={filesHref({ backupId: id, runId: run.id, vmId: copy.vmId })}
                    aria-label={area.t("backups.files_of", { name: copy.name })}
                  >
                    {area.t("backups.files")}
                  </a>
                )}
                {may.restore && (
                  <a
                    class="button small"
                    href={restoreHref(copy)}
                    aria-label={area.t("backups.restore_of", { name: copy.name })}
                  >
                    {area.t("backups.restore")}
                  </a>
                )}
              </div>
            ),
        },
      ]}
    />
  );
}

/** One run, with its VMs. */
function Run(
  { backup, run, may, onVerify }: Omit<BackupRunListProps, "runs"> & { run: BackupRun },
) {
  const { id } = backup;
  return (
    // Not a landmark: two runs of one minute would be called the same.
    <article class="panel" id={runAnchor(run.id)}>
      <header class="panel-head">
        <h2>{formatWhen(run.startedAt)}</h2>
        <span class="actions" data-run={run.state}>
          <RunState run={run} />
          {may.verify && run.copies.some(({ state }) => state === "done") && (
            <>
              <form
                method="post"
                action={formHref("verify_backup", { backupId: id, runId: run.id }, backupHref(id))}
                onSubmit={onVerify}
              >
                <button type="submit" class="button small">{area.t("backups.verify")}</button>
              </form>
              <form
                method="post"
                action={formHref(
                  "verify_backup",
                  { backupId: id, runId: run.id, kind: "boot" },
                  backupHref(id),
                )}
                onSubmit={onVerify}
              >
                <button type="submit" class="button small">{area.t("backups.boot")}</button>
              </form>
            </>
          )}
        </span>
      </header>
      {run.message !== null && <p class="pad text-muted">{oneLine(run.message, 300)}</p>}
      {run.copies.length > 0 && <Copies backup={backup} run={run} may={may} />}
    </article>
  );
}

/** The runs of a backup, the newest first. */
export function BackupRunList({ backup, runs, older, isOlder, may, onVerify }: BackupRunListProps) {
  return (
    <section class="backup-runs" aria-label={area.t("backups.runs")}>
      {runs.length === 0
        ? <Empty icon="download" title={area.t("backups.runs_none")} />
        : runs.map((run) => <Run key={run.id} backup={backup} run={run} may={may} onVerify={onVerify} />)}
      {(isOlder || older !== undefined) && (
        <nav class="pages" aria-label={area.t("backups.runs")}>
          {isOlder && <a class="button" href={backupHref(backup.id)}>{area.t("backups.runs_newest")}</a>}
          {older !== undefined && (
            <a class="button" rel="next" href={older}>{area.t("backups.runs_older")}</a>
          )}
        </nav>
      )}
    </section>
  );
}
