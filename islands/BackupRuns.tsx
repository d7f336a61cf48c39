import { BackupCalendar, type BackupCalendarProps } from "../components/backups/BackupCalendar.tsx";
import { BackupRunList, type BackupRunListProps } from "../components/backups/BackupRunList.tsx";
import { api } from "../lib/client/api.ts";
import { backupWork } from "../lib/client/backup_work.ts";
import { whenChanged } from "../lib/client/query.ts";
import { useQuery } from "../lib/client/use_query.ts";

/** Runs that are shown. */
const LISTED = 50;

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
  return (
    <div class="backup-runs">
      <BackupCalendar {...value.value} />
      <BackupRunList {...value.value} may={may} />
    </div>
  );
}
