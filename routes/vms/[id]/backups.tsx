import { page } from "fresh";
import { signal } from "@preact/signals";
import { VmPage } from "../../../components/vm/VmPage.tsx";
import VmBackups from "../../../islands/VmBackups.tsx";
import { t } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { fail } from "../../(_shared)/fail.ts";
import { vmOf } from "../../(_shared)/vm.ts";

export const handler = define.handlers({
  async GET(ctx) {
    const vm = await vmOf(ctx);
    const list = await ctx.state.api.listVmBackups({ vmId: vm.id }).catch(fail);
    return page({ vm, list, now: Date.now() });
  },
});

/** A VM's backups. */
export default define.page<typeof handler>(function Backups({ data: { vm, list, now }, state }) {
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
      <VmBackups vmId={vm.id} list={list} may={may} now={now} />
    </VmPage>
  );
});
