import { HttpError, page } from "fresh";
import { Head } from "fresh/runtime";
import { Verified } from "../../../components/backups/Verified.tsx";
import { Fact } from "../../../components/kit/Fact.tsx";
import { CheckField, type FieldChoice, SelectField, TextField } from "../../../components/kit/Field.tsx";
import { Panel } from "../../../components/kit/Panel.tsx";
import type { BackupCopy, BackupRun } from "../../../lib/contract/mod.ts";
import { errorText } from "../../../lib/contract/errors.ts";
import { backupHref, verifiedOf } from "../../../lib/backup/describe.ts";
import { backups as texts } from "../../../lib/i18n/en/backups.ts";
import { t, textsOf } from "../../../lib/i18n/mod.ts";
import { formatWhen } from "../../../lib/text/time.ts";
import { define, type PageState } from "../../../lib/page_state.ts";
import { formHref } from "../../../lib/text/form_href.ts";
import { formatBytes } from "../../../lib/text/quantity.ts";
import { refusalAt, typedAgain } from "../../../lib/text/refused_form.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { fail, unlessAway } from "../../(_shared)/fail.ts";

const area = textsOf(texts);

export const handler = define.handlers({
  async GET({ state, params, url }) {
    const { api } = state;
    const backupId = params.id ?? "", runId = url.searchParams.get("run") ?? "";
    const vmId = url.searchParams.get("vm");
    const [backup, [run]] = await Promise.all([
      api.getBackup({ backupId }),
      runId === "" ? [] : api.listBackupRuns({ backupId, runId }),
    ]).catch(fail);
    state.subject = backup.name;
    const copy = run?.copies.find((each) => each.vmId === vmId && each.state === "done");
    if (run === undefined || copy === undefined) {
      throw new HttpError(404, errorText("BackupRunNotFound", { runId }));
    }
    const [pools, hosts] = await Promise.all([
      api.getStoragePools().catch(unlessAway),
      api.listHosts().catch(fail),
    ]);
    const linked = hosts.filter(({ linked, status }) => linked !== undefined && status === "connected");
    return page({ backup, run, copy, pools: (pools ?? []).map(({ name }) => name), linked });
  },
});

/** Fields that identify the backup to restore. */
type RestoreFields = Readonly<Record<"backupId" | "runId" | "vmId", string>>;

/** The form that restores one disk as a new volume. */
function DiskForm(
  { copy, fields, here, poolChoices, refused }: {
    copy: BackupCopy;
    fields: RestoreFields;
    /** Path of this page. */
    here: string;
    /** The pools, after one choice of these words. */
    poolChoices: (first: string) => FieldChoice[];
    refused: PageState["refused"];
  },
) {
  const typed = typedAgain(refused, "restore_backup_disk");
  const errorAt = (field: string) => refusalAt(refused, "restore_backup_disk", field);
  return (
    <Panel title={area.t("backups.restore_disk")}>
      <p class="pad text-muted">{area.t("backups.restore_disk_what")}</p>
      <form method="post" action={formHref("restore_backup_disk", fields, "/{task}", here)}>
        <div class="form-grid">
          <SelectField
            label={area.t("backups.restore_target")}
            name="target"
            value={typed?.target ?? copy.disks[0]!}
            choices={copy.disks.map((each) => ({ value: each, label: each }))}
            error={errorAt("target")}
          />
          <TextField
            label={area.t("backups.restore_volume")}
            hint={area.t("backups.restore_volume_hint")}
            name="volume"
            maxLength={200}
            defaultValue={typed?.volume ?? ""}
            error={errorAt("volume")}
          />
          <SelectField
            label={area.t("backups.restore_pool")}
            name="pool"
            value={typed?.pool ?? ""}
            choices={poolChoices(area.t("backups.restore_pool_usual"))}
            error={errorAt("pool")}
          />
        </div>
        <div class="form-actions">
          <button type="submit" class="button">{area.t("backups.restore_disk_do")}</button>
        </div>
      </form>
    </Panel>
  );
}

/** The backup to restore: its time, its size, and the result of its verification. */
function Details({ copy, run }: { copy: BackupCopy; run: Pick<BackupRun, "startedAt"> }) {
  const { verified } = copy, is = verifiedOf([copy]);
  return (
    <Panel title={area.t("backups.details")}>
      <dl class="description-list">
        <Fact label={area.t("backups.restore_taken")}>
          {formatWhen(copy.takenAt ?? run.startedAt)}
        </Fact>
        <Fact label={area.t("backups.size")}>{formatBytes(copy.bytes)}</Fact>
        <Fact label={area.t("backups.verified")}>
          <Verified is={is} />
        </Fact>
      </dl>
      {is === "never" && <p class="pad text-muted">{area.t("backups.restore_unverified")}</p>}
      {verified?.ok === false && (
        <p class="pad text-danger">
          {area.t("backups.restore_damaged", { reason: verified.message ?? "" })}
        </p>
      )}
    </Panel>
  );
}

/** Restoring a VM. */
export default define.page<typeof handler>(function RestorePage({ data, state: { refused } }) {
  const { backup, run, copy, pools, linked } = data, { vmId, name } = copy;
  const at = backupHref(backup.id);
  const here = `${at}/restore?${new URLSearchParams({ run: run.id, vm: vmId })}`;
  const fields = { backupId: backup.id, runId: run.id, vmId };
  const typed = typedAgain(refused, "restore_backup"),
    title = area.t("backups.restore_title", {
      name: oneLine(name, 60),
    });
  const errorAt = (field: string) => refusalAt(refused, "restore_backup", field);
  const poolChoices = (first: string) => [
    { value: "", label: first },
    ...pools.map((each) => ({ value: each, label: each })),
  ];
  const pool = (first: string) => (
    <SelectField
      label={area.t("backups.restore_pool")}
      name="pool"
      value={typed?.pool ?? ""}
      choices={poolChoices(first)}
      error={errorAt("pool")}
    />
  );
  return (
    <>
      <Head>
        <title>{t("title.page", { page: title })}</title>
      </Head>
      <header class="page-head">
        <h1>{title}</h1>
      </header>
      <div class="backup-runs">
        <Details copy={copy} run={run} />
        <Panel title={area.t("backups.restore_new")}>
          <p class="pad text-muted">{area.t("backups.restore_new_what", { name: oneLine(name, 60) })}</p>
          <form method="post" action={formHref("restore_backup", fields, "/{task}", here)}>
            <div class="form-grid">
              <TextField
                label={area.t("backups.restore_name")}
                name="name"
                required
                maxLength={255}
                defaultValue={typed?.name ?? `${name}-restored`}
                error={errorAt("name")}
              />
              {pool(area.t("backups.restore_pool_usual"))}
              {linked.length > 0 && (
                <SelectField
                  label={area.t("backups.restore_host")}
                  hint={area.t("backups.restore_host_hint")}
                  name="toHost"
                  value={typed?.toHost ?? ""}
                  choices={[
                    { value: "", label: area.t("backups.restore_host_here") },
                    ...linked.map(({ id, label }) => ({ value: id, label: oneLine(label, 60) })),
                  ]}
                  error={errorAt("toHost")}
                />
              )}
            </div>
            <div class="form-actions">
              <button type="submit" class="button primary">{area.t("backups.restore_as_new")}</button>
              <a class="button" href={at}>{area.t("backups.cancel")}</a>
            </div>
          </form>
        </Panel>
        <Panel title={area.t("backups.restore_in_place")}>
          <p class="pad text-muted">{area.t("backups.restore_in_place_what", { name: oneLine(name, 60) })}</p>
          <form method="post" action={formHref("restore_backup", fields, "/{task}", here)}>
            <div class="form-grid">
              {pool(area.t("backups.restore_pool_same"))}
              <CheckField
                label={area.t("backups.restore_sure", { name: oneLine(name, 60) })}
                name="inPlace"
                value="yes"
                required
                wide
              />
            </div>
            <div class="form-actions">
              <button type="submit" class="button danger">{area.t("backups.restore_replace")}</button>
            </div>
          </form>
        </Panel>
        {copy.disks.length > 0 && <DiskForm {...{ copy, fields, here, poolChoices, refused }} />}
      </div>
    </>
  );
});
