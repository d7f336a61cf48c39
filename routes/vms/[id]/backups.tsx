import { page } from "fresh";
import { signal } from "@preact/signals";
import { Flash } from "../../../components/kit/Flash.tsx";
import { VmPage } from "../../../components/vm/VmPage.tsx";
import Replications from "../../../islands/Replications.tsx";
import VmBackups from "../../../islands/VmBackups.tsx";
import { ContractError } from "../../../lib/contract/errors.ts";
import { t } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { answerWarnings } from "../../../lib/text/notice.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { fail } from "../../(_shared)/fail.ts";
import { postedForm } from "../../(_shared)/form.ts";
import { vmReplications } from "../../(_shared)/replications.ts";
import { vmOf } from "../../(_shared)/vm.ts";

/** Whether a VM's backups are not made here, but on its own host. */
const isElsewhere = (what: unknown): what is ContractError =>
  what instanceof ContractError && what.code === "BackupElsewhere";

export const handler = define.handlers({
  async GET(ctx) {
    const vm = await vmOf(ctx);
    const { api, may } = ctx.state;
    const replications = await vmReplications(ctx.state, vm.id);
    const list = await api.listVmBackups({ vmId: vm.id }).catch((error) =>
      isElsewhere(error) ? error : fail(error)
    );
    if (isElsewhere(list)) {
      return page({ vm, list: null, replications, others: [], now: Date.now(), elsewhere: list.message });
    }
    const included = new Set(list.backups.map(({ id }) => id));
    const jobs = may("update_backup") ? await api.listBackups().catch(fail) : [];
    const others = jobs.filter(({ id }) => !included.has(id)).map(({ id, name }) => ({ id, name }));
    return page({ vm, list, replications, others, now: Date.now(), elsewhere: "" });
  },
  /** Adds the VM to a job. */
  async POST(ctx) {
    const vm = await vmOf(ctx), { api } = ctx.state;
    const backupId = String((await postedForm(ctx.req)).get("backupId") ?? "");
    const { targets: { hidden: _hidden, ...targets }, name } = await api.getBackup({ backupId }).catch(fail);
    const vmIds = [...new Set([...targets.vmIds, vm.id])];
    const warnings = answerWarnings(
      await api.updateBackup({ backupId, targets: { ...targets, vmIds } }).catch(fail),
    );
    ctx.state.notify({ is: "done", word: "update_backup.targets.vmIds", name: vm.name, in: name, warnings });
    return ctx.redirect(`/vms/${encodeURIComponent(vm.id)}/backups`, 303);
  },
});

/** A VM's backups. */
export default define.page<typeof handler>(function Backups(
  { data: { vm, list, replications, others, now, elsewhere }, state },
) {
  const may = {
    create: state.may("create_backup"),
    run: state.may("run_backup_now"),
    restore: state.may("restore_backup"),
  };
  return (
    <VmPage
      vm={signal(vm)}
      state={state}
      now={now}
      title={`${oneLine(vm.name, 60)} · ${t("vm.tab_backups")}`}
      at="/backups"
    >
      <div class="storage-stack">
        {list === null
          ? <Flash tone="info" icon="info" title={t("vm.tab_backups")}>{elsewhere}</Flash>
          : <VmBackups vmId={vm.id} list={list} others={others} may={may} now={now} />}
        {replications.length > 0 && (
          <Replications
            replications={replications}
            replicas={null}
            vmId={vm.id}
            now={now}
            mayChange={state.may("update_replication")}
            back={`/vms/${encodeURIComponent(vm.id)}/backups`}
          />
        )}
      </div>
    </VmPage>
  );
});
