import { BackupCalendar } from "../components/backups/BackupCalendar.tsx";
import { BackupRunList, type BackupRunRights } from "../components/backups/BackupRunList.tsx";
import { LatestBackupCopy } from "../components/backups/LatestBackupCopy.tsx";
import { api } from "../lib/client/api.ts";
import { type BackupPage, readBackupPage } from "../lib/backup/page.ts";
import { runsHref } from "../lib/backup/describe.ts";
import { backupWork } from "../lib/client/backup_work.ts";
import { sendsForm } from "../lib/client/send_form.ts";
import { backups as texts } from "../lib/i18n/en/backups.ts";
import { textsOf } from "../lib/i18n/mod.ts";
import { whenChanged } from "../lib/client/query.ts";
import { useQuery } from "../lib/client/use_query.ts";

const { t } = textsOf(texts);

/** Props of {@link BackupRuns}. */
export interface BackupRunsProps {
  first: BackupPage;
  /** The newest moment of which runs are shown; those of now where that is left out. */
  until?: number | undefined;
  may: BackupRunRights;
}

/** The runs of a backup, by day and one by one, live. */
export default function BackupRuns({ first, until, may }: BackupRunsProps) {
  const { value } = useQuery<BackupPage>({
    first,
    read: () => readBackupPage(api, { backupId: first.backup.id, until }),
    follow: whenChanged(backupWork),
  });
  const { backup, days, runs, next, now } = value.value;
  // It may take minutes: the task says how far it is, and the page stays as it is meanwhile.
  const verify = sendsForm(t("backups.verify_failed"));
  return (
    <div class="backup-runs">
      <div class="backup-overview">
        <BackupCalendar
          backup={backup}
          days={days}
          listed={new Set(runs.map(({ id }) => id))}
          now={now}
        />
        <LatestBackupCopy backup={backup} runs={runs} now={now} may={may} onVerify={verify} />
      </div>
      <BackupRunList
        backup={backup}
        runs={runs}
        older={next && runsHref(backup.id, next.startedAt)}
        isOlder={until !== undefined}
        may={may}
        onVerify={verify}
      />
    </div>
  );
}
