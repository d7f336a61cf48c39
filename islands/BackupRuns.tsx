import { BackupCalendar, type BackupCalendarProps } from "../components/backups/BackupCalendar.tsx";
import { BackupRunList, type BackupRunListProps } from "../components/backups/BackupRunList.tsx";
import { TellingCopy } from "../components/backups/TellingCopy.tsx";
import { api } from "../lib/client/api.ts";
import { backupWork } from "../lib/client/backup_work.ts";
import { sendsForm } from "../lib/client/send_form.ts";
import { backups as texts } from "../lib/i18n/en/backups.ts";
import { textsOf } from "../lib/i18n/mod.ts";
import { whenChanged } from "../lib/client/query.ts";
import { useQuery } from "../lib/client/use_query.ts";

/** Runs that are shown. */
const LISTED = 50;

const { t } = textsOf(texts);

/** Props of {@link BackupRuns}. */
export type BackupRunsProps = BackupRunListProps & BackupCalendarProps;

/** The runs of a backup, by day and one by one, live. */
export default function BackupRuns({ backup, runs, may, now }: BackupRunsProps) {
  const { value } = useQuery<Pick<BackupRunsProps, "backup" | "runs" | "now">>({
    first: { backup, runs, now },
    read: async () => {
      const of = { backupId: backup.id };
      const [backupNow, runsNow] = await Promise.all([
        api.getBackup(of),
        api.listBackupRuns({ ...of, limit: LISTED }),
      ]);
      return { backup: backupNow, runs: runsNow, now: Date.now() };
    },
    follow: whenChanged(backupWork),
  });
  // It may take minutes: the task says how far it is, and the page stays as it is meanwhile.
  const verify = sendsForm(t("backups.verify_failed"));
  return (
    <div class="backup-runs">
      <div class="backup-overview">
        <BackupCalendar {...value.value} />
        <TellingCopy {...value.value} may={may} onVerify={verify} />
      </div>
      <BackupRunList {...value.value} may={may} onVerify={verify} />
    </div>
  );
}
