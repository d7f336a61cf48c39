import type { Backup } from "../../lib/contract/mod.ts";
import { backups as texts } from "../../lib/i18n/en/backups.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { oneLine } from "../../lib/text/text.ts";
import { SelectField } from "../kit/Field.tsx";

const { t } = textsOf(texts);

/** A backup job that can be chosen. */
export type JobChoice = Pick<Backup, "id" | "name">;

const choicesOf = (jobs: readonly JobChoice[]) =>
  jobs.map(({ id, name }) => ({ value: id, label: oneLine(name, 60) }));

/** Props of {@link BackUpNow}. */
export interface BackUpNowProps {
  vmId: string;
  /** The jobs that include the VM. */
  jobs: readonly Backup[];
  may: { create: boolean; run: boolean };
}

/** Runs a job that includes a VM: the one there is, or one to choose. Without one, leads to the form of a new job. */
export function BackUpNow({ vmId, jobs, may }: BackUpNowProps) {
  const [first] = jobs;
  if (first === undefined) {
    return may.create
      ? (
        <a class="button primary" href={`/backups/new?${new URLSearchParams({ vm: vmId })}`}>
          {t("backups.now")}
        </a>
      )
      : null;
  }
  if (!may.run) return null;
  const idle = jobs.filter(({ running }) => !running);
  return (
    <form
      method="post"
      class="action-form"
      action={formHref("run_backup_now", {}, `/vms/${encodeURIComponent(vmId)}/backups`)}
    >
      {jobs.length === 1
        ? <input type="hidden" name="backupId" value={first.id} />
        : (
          <select class="input" name="backupId" aria-label={t("backups.backup")}>
            {choicesOf(idle).map(({ value, label }) => <option key={value} value={value}>{label}</option>)}
          </select>
        )}
      <button type="submit" class="button primary" disabled={idle.length === 0}>{t("backups.now")}</button>
    </form>
  );
}

/** Adds a VM to a job that does not include it. Nothing where there is no such job. */
export function AddToJob({ vmId, jobs }: { vmId: string; jobs: readonly JobChoice[] }) {
  const [first] = jobs;
  if (first === undefined) return null;
  return (
    <form class="form-grid pad" method="post" action={`/vms/${encodeURIComponent(vmId)}/backups`}>
      <SelectField
        label={t("backups.add_to")}
        hint={t("backups.add_to_hint")}
        name="backupId"
        value={first.id}
        choices={choicesOf(jobs)}
      />
      <div class="form-field beside">
        <button type="submit" class="button">{t("backups.add_to_do")}</button>
      </div>
    </form>
  );
}
