import { type BackupRights, VmBackupTables } from "../components/backups/VmBackupTables.tsx";
import { api } from "../lib/client/api.ts";
import { backupWork } from "../lib/client/backup_work.ts";
import { whenChanged } from "../lib/client/query.ts";
import { useQuery } from "../lib/client/use_query.ts";
import type { VmBackups as List } from "../lib/contract/mod.ts";

/** Milliseconds between looks: when a backup is due next has no event. */
const LOOK_MS = 60_000;

/** Props of {@link VmBackups}. */
export interface VmBackupsProps {
  vmId: string;
  list: List;
  may: BackupRights;
  /** When the page was rendered; milliseconds since 1970. */
  now: number;
}

/** A VM's backups, live. */
export default function VmBackups({ vmId, list, may, now }: VmBackupsProps) {
  const { value } = useQuery<{ readonly list: List; readonly now: number }>({
    first: { list, now },
    read: async () => ({ list: await api.listVmBackups({ vmId }), now: Date.now() }),
    follow: whenChanged(backupWork),
    everyMs: LOOK_MS,
  });
  return <VmBackupTables vmId={vmId} list={value.value.list} may={may} now={value.value.now} />;
}
