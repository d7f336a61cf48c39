import { page } from "fresh";
import { Head } from "fresh/runtime";
import { BackupForm, backupValues } from "../../../components/backups/BackupForm.tsx";
import { backupHref } from "../../../lib/backup/describe.ts";
import { backups as texts } from "../../../lib/i18n/en/backups.ts";
import { t, textsOf } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { formHref } from "../../../lib/text/form_href.ts";
import { refusalAt } from "../../../lib/text/refused_form.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { fail, unlessAway } from "../../(_shared)/fail.ts";

const area = textsOf(texts);

export const handler = define.handlers({
  async GET({ state, params }) {
    const { api } = state, backup = await api.getBackup({ backupId: params.id ?? "" }).catch(fail);
    state.subject = backup.name;
    return page({
      backup,
      vms: await api.getVms().catch(unlessAway) ?? [],
      places: state.may("list_backup_targets") ? await api.listBackupTargets().catch(fail) : [],
    });
  },
});

/** Changing a backup. */
export default define.page<typeof handler>(function EditBackup({ data: { backup, vms, places }, state }) {
  const { id, name } = backup, title = area.t("backups.edit_title", { name: oneLine(name, 60) });
  const at = backupHref(id);
  return (
    <>
      <Head>
        <title>{t("title.page", { page: title })}</title>
      </Head>
      <header class="page-head">
        <h1>{title}</h1>
      </header>
      <BackupForm
        values={state.refused?.typed ?? backupValues(backup)}
        vms={vms}
        places={places}
        action={formHref("update_backup", { backupId: id }, at, `${at}/edit`)}
        errorAt={(field) => refusalAt(state.refused, "update_backup", field)}
        submit={area.t("backups.save")}
        hasCopies={backup.lastRun !== null}
        back={at}
      />
    </>
  );
});
