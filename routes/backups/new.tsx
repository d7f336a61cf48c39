import { page } from "fresh";
import { Head } from "fresh/runtime";
import { Flash } from "../../components/kit/Flash.tsx";
import { BackupForm } from "../../components/backups/BackupForm.tsx";
import { backups as texts } from "../../lib/i18n/en/backups.ts";
import { zone } from "../../lib/i18n/locale.ts";
import { t, textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { formHref } from "../../lib/text/form_href.ts";
import type { VM } from "../../lib/contract/mod.ts";
import { refusalAt } from "../../lib/text/refused_form.ts";
import { oneLine } from "../../lib/text/text.ts";
import { fail, unlessAway } from "../(_shared)/fail.ts";

const area = textsOf(texts);
const HERE = "/backups/new";
/** Initial values of a new backup job: its clock is that of the page. */
const first = () => ({
  frequency: "daily",
  time: "02:00",
  cron: "0 2 * * *",
  monthDay: "1",
  "targets.all": "yes",
  keep: "7",
  keepDaily: "0",
  keepWeekly: "0",
  keepMonthly: "0",
  keepYearly: "0",
  maxMibPerSecond: "0",
  parallel: "1",
  timeZone: zone(),
});

/** Initial values of a job for the VMs alone; that for one has its name. */
const firstOf = (vms: readonly Pick<VM, "id" | "name">[]) => ({
  ...first(),
  ...(vms.length === 1 && { name: oneLine(vms[0]!.name, 100).trim() }),
  "targets.all": "no",
  ...Object.fromEntries(vms.map(({ id }, index) => [`targets.vmIds.${index}`, id])),
});

const vmBackupsHref = (id: string) => `/vms/${encodeURIComponent(id)}/backups`;

export const handler = define.handlers({
  async GET({ state, url }) {
    const vms = await state.api.getVms().catch(unlessAway) ?? [], from = url.searchParams.getAll("vm");
    return page({
      vms,
      /** VMs that the job is for: those that the address names. */
      chosen: vms.filter(({ id }) => from.includes(id)),
      places: state.may("list_backup_targets") ? await state.api.listBackupTargets().catch(fail) : [],
    });
  },
});

/** Creating a backup job. */
export default define.page<typeof handler>(function NewBackup({ data: { chosen, vms, places }, state }) {
  const vm = chosen.length === 1 ? chosen[0] : undefined;
  const vmName = vm && oneLine(vm.name, 60), back = vm === undefined ? "/backups" : vmBackupsHref(vm.id);
  return (
    <>
      <Head>
        <title>{t("title.page", { page: area.t("backups.new") })}</title>
      </Head>
      <header class="page-head">
        <h1>{area.t("backups.new")}</h1>
      </header>
      {vmName !== undefined && <Flash tone="info">{area.t("backups.for_vm", { name: vmName })}</Flash>}
      <BackupForm
        values={state.refused?.typed ?? (chosen.length === 0 ? first() : firstOf(chosen))}
        vms={vms}
        places={places}
        action={formHref(
          "create_backup",
          {},
          back,
          chosen.length === 0 ? HERE : `${HERE}?${new URLSearchParams(chosen.map(({ id }) => ["vm", id]))}`,
        )}
        errorAt={(field) => refusalAt(state.refused, "create_backup", field)}
        submit={area.t("backups.create")}
        back={back}
      />
    </>
  );
});
