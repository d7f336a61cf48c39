import { BackupTable, type BackupTableProps } from "../components/backups/BackupTable.tsx";
import { api } from "../lib/client/api.ts";
import { backupWork } from "../lib/client/backup_work.ts";
import { whenChanged } from "../lib/client/query.ts";
import { useQuery } from "../lib/client/use_query.ts";

/** Milliseconds between looks: when a backup is due next has no event. */
const LOOK_MS = 30_000;

/** The list of backups, live. */
export default function BackupList({ list, may, now }: BackupTableProps) {
  const { value } = useQuery<Pick<BackupTableProps, "list" | "now">>({
    first: { list, now },
    read: async () => ({ list: await api.listBackups(), now: Date.now() }),
    follow: whenChanged(backupWork),
    everyMs: LOOK_MS,
  });
  return <BackupTable list={value.value.list} may={may} now={value.value.now} />;
}
