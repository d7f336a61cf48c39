import { CoverNote } from "../../../components/coverage/CoverNote.tsx";
import { page } from "fresh";
import { Head } from "fresh/runtime";
import { Fact } from "../../../components/kit/Fact.tsx";
import { Icon } from "../../../components/kit/Icon.tsx";
import { Panel } from "../../../components/kit/Panel.tsx";
import { SwitchForm } from "../../../components/kit/SwitchForm.tsx";
import BackupRuns from "../../../islands/BackupRuns.tsx";
import { readBackupPage } from "../../../lib/backup/page.ts";
import { backupHref, BOOT_POLICIES, keptText, targetsText, whenText } from "../../../lib/backup/describe.ts";
import { backups as texts } from "../../../lib/i18n/en/backups.ts";
import { t, textsOf } from "../../../lib/i18n/mod.ts";
import { formatWhen } from "../../../lib/text/time.ts";
import { define } from "../../../lib/page_state.ts";
import { formHref } from "../../../lib/text/form_href.ts";
import { formatRate } from "../../../lib/text/quantity.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { fail } from "../../(_shared)/fail.ts";

const area = textsOf(texts);

export const handler = define.handlers({
  async GET({ state, params, url }) {
    const asked = Number(url.searchParams.get("until"));
    const until = Number.isSafeInteger(asked) && asked > 0 ? asked : undefined;
    const first = await readBackupPage(state.api, { backupId: params.id ?? "", until }).catch(fail);
    state.subject = first.backup.name;
    return page({ first, until });
  },
});

/** One backup: what it does, and what it has. */
export default define.page<typeof handler>(
  function BackupPage({ data: { first: shown, until }, state: { may } }) {
    const {
      id,
      name,
      enabled,
      folder,
      target,
      encrypted,
      running,
      runsAs,
      next: [first],
      maxMibPerSecond,
      parallel,
    } = shown.backup;
    const here = backupHref(id);
    return (
      <>
        <Head>
          <title>{t("title.page", { page: name })}</title>
        </Head>
        <header class="page-head">
          <h1>
            <bdi>{oneLine(name, 100)}</bdi>
          </h1>
          <SwitchForm
            action={formHref("enable_backup", { backupId: id, enabled: !enabled }, here)}
            checked={enabled}
            label={area.t("backups.switch", { name })}
            word={enabled ? area.t("backups.on") : area.t("backups.off")}
            disabled={!may("enable_backup")}
          />
          <span class="actions">
            {may("update_backup") && <a class="button" href={`${here}/edit`}>{area.t("backups.edit")}</a>}
            {may("run_backup_now") && (
              <form method="post" action={formHref("run_backup_now", { backupId: id }, here)}>
                <button type="submit" class="button primary" disabled={running}>
                  {area.t("backups.run")}
                </button>
              </form>
            )}
          </span>
        </header>
        <div class="schedule-page">
          <Panel title={area.t("backups.details")}>
            <dl class="description-list">
              <Fact label={area.t("backups.vms")}>{targetsText(shown.backup)}</Fact>
              {target !== null && (
                <Fact label={area.t("backups.target")}>
                  {may("list_backup_targets")
                    ? <a href="/settings/backup-targets">{oneLine(target.name, 100)}</a>
                    : oneLine(target.name, 100)}
                </Fact>
              )}
              <Fact label={area.t("backups.folder")}>
                <span class="backup-lock">
                  {encrypted && (
                    <>
                      <Icon name="lock" />
                      <span class="visually-hidden">{area.t("backups.encrypted")}</span>
                    </>
                  )}
                  {oneLine(folder, 200)}
                </span>
              </Fact>
              <Fact label={area.t("backups.when")}>{whenText(shown.backup)}</Fact>
              {first !== undefined && <Fact label={area.t("backups.next")}>{formatWhen(first)}</Fact>}
              <Fact label={area.t("backups.kept")}>{keptText(shown.backup)}</Fact>
              {maxMibPerSecond > 0 && (
                <Fact label={area.t("backups.limit_fact")}>{formatRate(maxMibPerSecond * 1024 ** 2)}</Fact>
              )}
              {parallel > 1 && <Fact label={area.t("backups.parallel")}>{parallel}</Fact>}
              <Fact label={area.t("backups.boot_policy")}>
                {area.t(BOOT_POLICIES[shown.backup.bootTest])}
              </Fact>
              <Fact label={area.t("backups.owner")}>
                {runsAs}
                <CoverNote of={shown.backup} />
              </Fact>
            </dl>
          </Panel>
        </div>
        <BackupRuns
          first={shown}
          until={until}
          may={{
            verify: may("verify_backup"),
            restore: may("restore_backup"),
            screen: may("get_backup_screen"),
            files: may("list_backup_files"),
          }}
        />
        {may("delete_backup") && (
          <Panel title={area.t("backups.delete")}>
            <p class="text-muted pad">{area.t("backups.delete_what")}</p>
            <form
              method="post"
              class="form-actions"
              action={formHref("delete_backup", { backupId: id }, "/backups", here)}
            >
              <details class="edit">
                <summary class="button danger">{area.t("backups.delete")}</summary>
                <button type="submit" class="button danger" name="confirmed" value="yes" disabled={running}>
                  {area.t("backups.delete_sure", { name: oneLine(name, 40) })}
                </button>
              </details>
            </form>
          </Panel>
        )}
      </>
    );
  },
);
