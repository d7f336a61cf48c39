import { HttpError, page } from "fresh";
import { SettingsPage } from "../../../components/access/SettingsPage.tsx";
import { BackupTargetFields } from "../../../components/backups/TargetFields.tsx";
import { Panel } from "../../../components/kit/Panel.tsx";
import type { BackupTarget } from "../../../lib/contract/mod.ts";
import { backupTargets as texts } from "../../../lib/i18n/en/backup_targets.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { formHref } from "../../../lib/text/form_href.ts";
import { refusalAt, typedAgain } from "../../../lib/text/refused_form.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { fail } from "../../(_shared)/fail.ts";

const { t } = textsOf(texts);
const LIST = "/settings/backup-targets";

export const handler = define.handlers({
  async GET({ state, params }) {
    const targets = await state.api.listBackupTargets().catch(fail);
    const target = targets.find(({ id }) => id === params.id);
    if (target === undefined) throw new HttpError(404);
    state.subject = target.name;
    return page({ target });
  },
});

/** Initial values of the form. */
function valuesOf({ pathStyle, privateAddresses, ...rest }: BackupTarget): Record<string, string> {
  return {
    ...Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, String(value)])),
    pathStyle: pathStyle === false ? "no" : "yes",
    privateAddresses: privateAddresses ? "yes" : "no",
  };
}

/** A target, to be changed. Its secrets are not shown; left empty, they stay as they are. */
export default define.page<typeof handler>(function EditBackupTarget({ data: { target }, state }) {
  const { id: backupTargetId, kind, name } = target, here = `${LIST}/${encodeURIComponent(backupTargetId)}`;
  const typed = typedAgain(state.refused, "update_backup_target");
  return (
    <SettingsPage at={LIST} user={state.user}>
      <Panel title={`${t("targets.edit_of", { name: oneLine(name, 60) })}: ${t(`targets.kind.${kind}`)}`}>
        <form method="post" action={formHref("update_backup_target", { backupTargetId }, LIST, here)}>
          <BackupTargetFields
            kind={kind}
            values={typed ?? valuesOf(target)}
            errorAt={(field) => refusalAt(state.refused, "update_backup_target", field)}
            again={typed !== undefined}
            isKept
          />
          <div class="form-actions">
            <button type="submit" class="button primary">{t("targets.save")}</button>
            <a class="button" href={LIST}>{t("targets.cancel")}</a>
          </div>
        </form>
      </Panel>
    </SettingsPage>
  );
});
