import type { Replication } from "../../lib/contract/mod.ts";
import { replication as texts } from "../../lib/i18n/en/replication.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { oneLine } from "../../lib/text/text.ts";
import { formatAgo } from "../../lib/text/time.ts";
import { Flash } from "../kit/Flash.tsx";
import { REPLICATION_PAGE } from "./ReplicationTables.tsx";

const { t } = textsOf(texts);

/** Says on a VM's page that another host has taken the VM over, or that its replica is too old; else nothing. */
export function ReplicationFlash({ of, now }: { of: Replication; now: number }) {
  const host = oneLine(of.toHost, 60), isLost = of.state === "lost";
  if (!isLost && !of.late) return null;
  const why = of.lastRun?.state === "failed" ? of.lastRun.message : null;
  const age = of.takenAt === null ? t("replication.never") : formatAgo(of.takenAt, now);
  return (
    <Flash tone="warn" title={t(isLost ? "replication.vm_lost" : "replication.vm_late", { host })}>
      {isLost ? t("replication.vm_lost_what", { host }) : t("replication.vm_late_what", { age })}
      {why !== null && ` ${oneLine(why, 300)}`} <a href={REPLICATION_PAGE}>{t("replication.title")}</a>
    </Flash>
  );
}
