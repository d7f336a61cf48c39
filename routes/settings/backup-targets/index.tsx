import { page } from "fresh";
import { SettingsPage } from "../../../components/access/SettingsPage.tsx";
import { BackupTargetFields } from "../../../components/backups/TargetFields.tsx";
import { DataTable, stacked } from "../../../components/kit/DataTable.tsx";
import { Icon } from "../../../components/kit/Icon.tsx";
import { Panel } from "../../../components/kit/Panel.tsx";
import { RowButton } from "../../../components/kit/RowButton.tsx";
import { BACKUP_TARGET_KINDS } from "../../../lib/contract/mod.ts";
import { backupTargets as texts } from "../../../lib/i18n/en/backup_targets.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { formHref } from "../../../lib/text/form_href.ts";
import { refusalAt, typedAgain } from "../../../lib/text/refused_form.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { fail } from "../../(_shared)/fail.ts";

const { t } = textsOf(texts);
const AT = "/settings/backup-targets";

export const handler = define.handlers({
  async GET({ state, url }) {
    const asked = url.searchParams.get("kind");
    return page({
      targets: await state.api.listBackupTargets().catch(fail),
      kind: BACKUP_TARGET_KINDS.find((kind) => kind === asked) ?? "folder",
    });
  },
});

/** Page of the backup targets other than plain folders. */
export default define.page<typeof handler>(function BackupTargets({ data: { targets, kind }, state }) {
  const typed = typedAgain(state.refused, "create_backup_target");
  return (
    <SettingsPage at={AT} user={state.user}>
      <Panel title={t("targets.title")}>
        <p class="text-muted pad">{t("targets.what")}</p>
        <DataTable
          label={t("targets.title")}
          rows={targets}
          keyOf={({ id }) => id}
          attributesOf={({ name }) => ({ "data-target": name })}
          empty={t("targets.none")}
          columns={[
            { title: t("targets.name"), cell: ({ name }) => <bdi>{oneLine(name, 60)}</bdi> },
            {
              title: t("targets.address"),
              fit: "wrap",
              cell: (target) => stacked([t(`targets.kind.${target.kind}`), oneLine(target.address, 120)]),
            },
            {
              title: t("targets.encrypted"),
              cell: ({ encrypted }) =>
                encrypted
                  ? (
                    <span class="backup-lock">
                      <Icon name="lock" /> {t("targets.encrypted")}
                    </span>
                  )
                  : <span class="text-muted">{t("targets.not_encrypted")}</span>,
            },
            {
              title: t("targets.backups"),
              fit: "wrap",
              cell: ({ backups }) => backups.map((name) => oneLine(name, 60)).join(", "),
            },
            {
              title: t("targets.actions"),
              kind: "actions",
              cell: ({ id, name }) => (
                <div class="action-form">
                  <a
                    class="button small"
                    href={`${AT}/${encodeURIComponent(id)}`}
                    aria-label={t("targets.edit_of", { name: oneLine(name, 60) })}
                  >
                    {t("targets.edit")}
                  </a>
                  <RowButton
                    action={formHref("test_backup_target", { backupTargetId: id }, AT)}
                    text={t("targets.test")}
                    label={t("targets.test_of", { name: oneLine(name, 60) })}
                  />
                  <RowButton
                    action={formHref("delete_backup_target", { backupTargetId: id }, AT)}
                    text={t("targets.delete")}
                    label={t("targets.delete_of", { name: oneLine(name, 60) })}
                  />
                </div>
              ),
            },
          ]}
        />
      </Panel>
      <Panel title={t("targets.new")}>
        <nav class="tabs" aria-label={t("targets.kinds")}>
          {BACKUP_TARGET_KINDS.map((each) => (
            <a
              key={each}
              class="tab"
              href={`${AT}?kind=${each}`}
              aria-current={each === kind ? "page" : undefined}
            >
              {t(`targets.kind.${each}`)}
            </a>
          ))}
        </nav>
        <form method="post" action={formHref("create_backup_target", { kind }, AT, `${AT}?kind=${kind}`)}>
          <BackupTargetFields
            kind={kind}
            values={typed ?? {}}
            errorAt={(field) => refusalAt(state.refused, "create_backup_target", field)}
            again={typed !== undefined}
          />
          <div class="form-actions">
            <button type="submit" class="button primary">{t("targets.new")}</button>
          </div>
        </form>
      </Panel>
    </SettingsPage>
  );
});
