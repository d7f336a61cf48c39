import { BackupRunList, type BackupRunListProps } from "../components/backups/BackupRunList.tsx";
import { api } from "../lib/client/api.ts";
import { backupWork } from "../lib/client/backup_work.ts";
import { whenChanged } from "../lib/client/query.ts";
import { useQuery } from "../lib/client/use_query.ts";
import type { BackupRun } from "../lib/contract/mod.ts";

/** Runs that are shown. */
const LISTED = 50;

/** The runs of a backup, live. */
export default function BackupRuns({ backup, runs, may }: BackupRunListProps) {
  const { value } = useQuery<readonly BackupRun[]>({
    first: runs,
    read: () => api.listBackupRuns({ backupId: backup.id, limit: LISTED }),
    follow: whenChanged(backupWork),
  });
  return <BackupRunList backup={backup} runs={value.value} may={may} />;
}
