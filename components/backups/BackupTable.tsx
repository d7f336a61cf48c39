import { CoverNote } from "../coverage/CoverNote.tsx";
import type { Backup } from "../../lib/contract/mod.ts";
import { backupHref, targetsText, totalSizes, verifiedOf, whenText } from "../../lib/backup/describe.ts";
import { backups as texts } from "../../lib/i18n/en/backups.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { oneLine } from "../../lib/text/text.ts";
import { DataTable } from "../kit/DataTable.tsx";
import { Icon } from "../kit/Icon.tsx";
import { RelativeTime } from "../kit/RelativeTime.tsx";
import { TruncatedText } from "../kit/TruncatedText.tsx";
import { SwitchForm } from "../kit/SwitchForm.tsx";
import { RunState } from "../schedules/RunState.tsx";
import { BackupSize } from "./BackupSize.tsx";
import { NextBackup } from "./NextBackup.tsx";
import { Verified } from "./Verified.tsx";

const area = textsOf(texts);
const AT = "/backups";

/** Props of {@link BackupTable}. */
export interface BackupTableProps {
  list: readonly Backup[];
  may: { enable: boolean; run: boolean };
  /** Milliseconds since 1970. */
  now: number;
}

function Last({ backup: { lastRun }, now }: { backup: Backup; now: number }) {
  if (lastRun === null) return <span class="text-muted">{area.t("backups.never")}</span>;
  return (
    <span class="stack">
      <RunState run={lastRun} />
      <span class="text-muted">
        <RelativeTime at={lastRun.startedAt} now={now} />
      </span>
    </span>
  );
}

function Size({ backup: { lastRun } }: { backup: Backup }) {
  if (lastRun === null || lastRun.copies.length === 0) return null;
  return <BackupSize {...totalSizes(lastRun.copies)} />;
}

/** The list of backup jobs. */
export function BackupTable({ list, may, now }: BackupTableProps) {
  return (
    <div class="panel">
      <DataTable
        label={area.t("backups.jobs")}
        rows={list}
        keyOf={({ id }) => id}
        attributesOf={({ id }) => ({ "data-backup": id })}
        columns={[
          {
            title: area.t("backups.name"),
            fit: "wide",
            cell: ({ id, name, folder, target, encrypted }) => (
              <span class="stack">
                <a href={backupHref(id)}>
                  <bdi>{oneLine(name, 60)}</bdi>
                </a>
                <span class="text-muted backup-lock">
                  {encrypted && (
                    <>
                      <Icon name="lock" />
                      <span class="visually-hidden">{area.t("backups.encrypted")}</span>
                    </>
                  )}
                  <TruncatedText text={target?.name ?? folder} longest={60} />
                </span>
              </span>
            ),
          },
          {
            title: area.t("backups.vms"),
            fit: "wrap",
            cell: (backup) => (
              <>
                {targetsText(backup)}
                <CoverNote of={backup} />
              </>
            ),
          },
          {
            title: area.t("backups.when"),
            fit: "wrap",
            cell: (backup) => (
              <span class="stack">
                <span>{whenText(backup)}</span>
                {backup.frequency !== "by-hand" && (
                  <span class="text-muted">
                    {area.t("backups.next")}: <NextBackup backup={backup} />
                  </span>
                )}
              </span>
            ),
          },
          { title: area.t("backups.last"), cell: (backup) => <Last backup={backup} now={now} /> },
          { title: area.t("backups.size"), cell: (backup) => <Size backup={backup} /> },
          {
            title: area.t("backups.verified"),
            cell: ({ lastRun }) => <Verified is={verifiedOf(lastRun?.copies ?? [])} />,
          },
          {
            title: area.t("backups.switch_title"),
            cell: ({ id, name, enabled }) => (
              <SwitchForm
                action={formHref("enable_backup", { backupId: id, enabled: !enabled }, AT)}
                checked={enabled}
                label={area.t("backups.switch", { name })}
                word={enabled ? area.t("backups.on") : area.t("backups.off")}
                disabled={!may.enable}
              />
            ),
          },
          may.run && {
            title: area.t("backups.actions"),
            kind: "actions",
            cell: ({ id, name, running }) => (
              <form method="post" action={formHref("run_backup_now", { backupId: id }, AT)}>
                <button
                  type="submit"
                  class="button small"
                  aria-label={area.t("backups.run_of", { name })}
                  disabled={running}
                >
                  {area.t("backups.run")}
                </button>
              </form>
            ),
          },
        ]}
      />
    </div>
  );
}
