import { backups as texts } from "../../lib/i18n/en/backups.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { formatBytes } from "../../lib/text/quantity.ts";

const { t } = textsOf(texts);

/** Sizes of a backup, or of all of a run; bytes. */
export interface BackupSizeProps {
  /** Virtual size of the disks. */
  bytes: number;
  /** Bytes that it added to the folder. */
  storedBytes: number;
  /** Bytes that were read of the disks; null if not known. */
  readBytes: number | null;
}

/** Sizes of a backup: virtual, stored and read, as the virtual one alone would be misleading. */
export function BackupSize({ bytes, storedBytes, readBytes }: BackupSizeProps) {
  return (
    <span class="stack">
      <span>{t("backups.size_of", { stored: formatBytes(storedBytes) })}</span>
      {readBytes !== null && (
        <span class="text-muted">
          {t("backups.read_of", { read: formatBytes(readBytes), bytes: formatBytes(bytes) })}
        </span>
      )}
    </span>
  );
}
