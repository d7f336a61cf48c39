import type { Backup, BackupRun } from "../../lib/contract/mod.ts";
import {
  backupHref,
  bootedOf,
  bootScreenHref,
  bootTestText,
  consistencyText,
  tellingCopy,
  verifiedOf,
} from "../../lib/backup/describe.ts";
import { filesHref } from "../../lib/backup/files.ts";
import { backups as texts } from "../../lib/i18n/en/backups.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { formatWhen } from "../../lib/text/time.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { formatBytes } from "../../lib/text/quantity.ts";
import { oneLine } from "../../lib/text/text.ts";
import { Fact } from "../kit/Fact.tsx";
import { Panel } from "../kit/Panel.tsx";
import { RelativeTime } from "../kit/RelativeTime.tsx";
import type { BackupRunListProps } from "./BackupRunList.tsx";
import { Booted, Verified } from "./Verified.tsx";

const { t } = textsOf(texts);

/** Props of {@link LatestBackupCopy}. */
export interface TellingCopyProps extends Omit<BackupRunListProps, "runs"> {
  backup: Backup;
  /** The newest first. */
  runs: readonly BackupRun[];
  now: number;
}

/** The copy that was booted last, or the newest: what is known of it, and its screen. Nothing where there is none. */
export function LatestBackupCopy({ backup: { id }, runs, may, now, onVerify }: TellingCopyProps) {
  const found = tellingCopy(runs);
  if (found === undefined) return null;
  const { run, copy } = found, { vmId, name, bootTest, bytes, storedBytes, readBytes, disks } = copy;
  const picture = bootTest?.screen && may.screen ? bootScreenHref(id, run.id, vmId, bootTest) : undefined;
  const shortName = oneLine(name, 40);
  return (
    <Panel
      title={t("backups.latest", { name: shortName })}
      class="backup-copy"
      aside={<span class="text-muted">{formatWhen(copy.takenAt ?? run.startedAt)}</span>}
    >
      <dl class="description-list">
        <Fact label={t("backups.consistency")}>{consistencyText(copy)}</Fact>
        <Fact label={t("backups.disks_of")}>{`${disks.join(", ") || "–"} · ${formatBytes(bytes)}`}</Fact>
        {readBytes !== null && <Fact label={t("backups.read")}>{formatBytes(readBytes)}</Fact>}
        <Fact label={t("backups.added")}>{formatBytes(storedBytes)}</Fact>
        <Fact label={t("backups.chain")}>{t("backups.chain_none")}</Fact>
        <Fact label={t("backups.checksums")}>
          <Verified is={verifiedOf([copy])} />
        </Fact>
        <Fact label={t("backups.booted")}>
          <Booted is={bootedOf([copy])} />
          {bootTest !== null && (
            <span class="text-muted">
              {oneLine(bootTestText(bootTest), 300)} · <RelativeTime at={bootTest.at} now={now} />
            </span>
          )}
        </Fact>
      </dl>
      {picture !== undefined && (
        <a href={picture} download={`${shortName}.png`} class="backup-screen">
          <img src={picture} alt={t("backups.boot_screen_of", { name: shortName })} loading="lazy" />
        </a>
      )}
      {bootTest === null && <p class="pad text-muted">{t("backups.boot_none_what")}</p>}
      <div class="form-actions">
        {may.restore && (
          <a
            class="button"
            href={`${backupHref(id)}/restore?${new URLSearchParams({ run: run.id, vm: vmId })}`}
          >
            {t("backups.restore")}
          </a>
        )}
        {may.files && disks.length > 0 && (
          <a class="button" href={filesHref({ backupId: id, runId: run.id, vmId })}>
            {t("backups.files_browse")}
          </a>
        )}
        {may.verify && (
          <form
            method="post"
            action={formHref(
              "verify_backup",
              { backupId: id, runId: run.id, vmId, kind: "boot" },
              backupHref(id),
            )}
            onSubmit={onVerify}
          >
            <button type="submit" class="button">{t("backups.boot")}</button>
          </form>
        )}
        {picture !== undefined && (
          <a class="button" href={picture} download={`${shortName}.png`}>{t("backups.boot_download")}</a>
        )}
      </div>
    </Panel>
  );
}
