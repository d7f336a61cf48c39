import type { Backup } from "../../lib/contract/mod.ts";
import { backups } from "../../lib/i18n/en/backups.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { formatWhen } from "../../lib/text/time.ts";

const { t } = textsOf(backups);

/** When a backup runs next; nothing for one that runs by hand. */
export function NextBackup({ backup: { enabled, frequency, next: [first] } }: { backup: Backup }) {
  if (frequency === "by-hand") return null;
  if (!enabled || first === undefined) return <span class="text-muted">{t("backups.off")}</span>;
  return <time dateTime={new Date(first).toISOString()}>{formatWhen(first)}</time>;
}
