import { VmBackupTables, type VmBackupTablesProps } from "../components/backups/VmBackupTables.tsx";
import { api } from "../lib/client/api.ts";
import { backupWork } from "../lib/client/backup_work.ts";
import { whenChanged } from "../lib/client/query.ts";
import { useQuery } from "../lib/client/use_query.ts";
import type { VmBackups as List } from "../lib/contract/mod.ts";

/** Milliseconds between looks: when a backup is due next has no event. */
const LOOK_MS = 60_000;

/** A VM's backup jobs and backups, live. */
export default function VmBackups({ vmId, list, others, may, now }: VmBackupTablesProps) {
  const { value } = useQuery<{ readonly list: List; readonly now: number }>({
    first: { list, now },
    read: async () => ({ list: await api.listVmBackups({ vmId }), now: Date.now() }),
    follow: whenChanged(backupWork),
    everyMs: LOOK_MS,
  });
  const included = new Set(value.value.list.backups.map(({ id }) => id));
  return (
    <VmBackupTables
      vmId={vmId}
      list={value.value.list}
      others={others.filter(({ id }) => !included.has(id))}
      may={may}
      now={value.value.now}
    />
  );
}
