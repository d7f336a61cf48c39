import { page } from "fresh";
import { Head } from "fresh/runtime";
import { BackupForm } from "../../components/backups/BackupForm.tsx";
import { backups as texts } from "../../lib/i18n/en/backups.ts";
import { t, textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { refusalAt } from "../../lib/text/refused_form.ts";
import { fail, unlessAway } from "../(_shared)/fail.ts";

const area = textsOf(texts);
const HERE = "/backups/new";
/** What a new backup begins with. */
const FIRST = {
  ...{ frequency: "daily", time: "02:00", cron: "0 2 * * *", monthDay: "1", "targets.all": "yes" },
  ...{ keep: "7", keepDaily: "0", keepWeekly: "0", keepMonthly: "0", keepYearly: "0" },
  ...{ maxMibPerSecond: "0", parallel: "1" },
  timeZone: new Intl.DateTimeFormat("en").resolvedOptions().timeZone,
};

/** The same for one VM. */
const firstOf = (vmId: string) => ({ ...FIRST, "targets.all": "no", "targets.vmIds.0": vmId });

export const handler = define.handlers({
  async GET({ state, url }) {
    const vms = await state.api.getVms().catch(unlessAway) ?? [], from = url.searchParams.get("vm");
    return page({
      vms,
      /** The VM that somebody comes from. */
      vmId: vms.find(({ id }) => id === from)?.id,
      places: state.may("list_backup_targets") ? await state.api.listBackupTargets().catch(fail) : [],
    });
  },
});

/** Making a backup. */
export default define.page<typeof handler>(function NewBackup({ data: { vmId, vms, places }, state }) {
  return (
    <>
      <Head>
        <title>{t("title.page", { page: area.t("backups.new") })}</title>
      </Head>
      <header class="page-head">
        <h1>{area.t("backups.new")}</h1>
      </header>
      <BackupForm
        values={state.refused?.typed ?? (vmId === undefined ? FIRST : firstOf(vmId))}
        vms={vms}
        places={places}
        action={formHref("create_backup", {}, "/backups", HERE)}
        errorAt={(field) => refusalAt(state.refused, "create_backup", field)}
        submit={area.t("backups.create")}
        back="/backups"
      />
    </>
  );
});
