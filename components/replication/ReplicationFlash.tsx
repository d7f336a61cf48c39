import type { Replication, VM } from "../../lib/contract/mod.ts";
import { replication as texts } from "../../lib/i18n/en/replication.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { isActiveVm } from "../../lib/insights/facts.ts";
import { oneLine } from "../../lib/text/text.ts";
import { formatAgo } from "../../lib/text/time.ts";
import { Flash } from "../kit/Flash.tsx";
import { REPLICATION_PAGE } from "./ReplicationTables.tsx";

const { t } = textsOf(texts);

/** Says on a VM's page that another host has taken the VM over, that it runs on both, or that its replica is too old. */
export function ReplicationFlash({ of, vm, now }: { of: Replication; vm: Pick<VM, "state">; now: number }) {
  const host = oneLine(of.toHost, 60), isLost = of.state === "lost";
  if (!isLost && !of.late) return null;
  if (isLost) {
    const isTwice = isActiveVm(vm), what = isTwice ? "replication.vm_twice_what" : "replication.vm_lost_what";
    return (
      <Flash
        tone={isTwice ? "bad" : "warn"}
        title={t(isTwice ? "replication.vm_twice" : "replication.vm_lost", { host })}
      >
        {t(what, { host })} <a href={REPLICATION_PAGE}>{t("replication.title")}</a>
      </Flash>
    );
  }
  const why = of.lastRun?.state === "failed" ? of.lastRun.message : null;
  const age = of.takenAt === null ? t("replication.never") : formatAgo(of.takenAt, now);
  return (
    <Flash tone="warn" title={t("replication.vm_late", { host })}>
      {t("replication.vm_late_what", { age })}
      {why !== null && ` ${oneLine(why, 300)}`} <a href={REPLICATION_PAGE}>{t("replication.title")}</a>
    </Flash>
  );
}
