import { vmObjectOf } from "../../../lib/vm/object.ts";
import { page } from "fresh";
import { signal } from "@preact/signals";
import { DISK_VERBS } from "../../../components/vm/devices/DiskList.tsx";
import { SHARE_VERBS } from "../../../components/vm/devices/ShareList.tsx";
import { VmPage } from "../../../components/vm/VmPage.tsx";
import VmDisks from "../../../islands/VmDisks.tsx";
import { oneLine } from "../../../lib/text/text.ts";
import { t } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { isMoveOf } from "../../../lib/vm/disk_move.ts";
import { fail } from "../../(_shared)/fail.ts";
import { devicesOf } from "../../(_shared)/devices.ts";

export const handler = define.handlers({
  async GET(ctx) {
    const devices = await devicesOf(ctx, [...DISK_VERBS, "add", ...SHARE_VERBS]);
    const open = await ctx.state.api.listJobs({ open: true }).catch(fail);
    return page({ ...devices, moves: open.filter(isMoveOf(devices.vm.id)) });
  },
});

/** A VM's disks and drives. */
export default define.page<typeof handler>(function Disks({ data, state }) {
  const { vm, devices, moves, form, options, refused, now } = data;
  const { connected } = state.connection;
  const shared = signal(vm);
  return (
    <VmPage
      vm={shared}
      state={state}
      now={now}
      title={`${oneLine(vm.name, 60)} · ${t("vm.tab_disks")}`}
      at="/disks"
    >
      <VmDisks
        vm={shared}
        connected={connected}
        devices={devices}
        moves={moves}
        form={form}
        options={options}
        refused={refused}
        mayShare={state.may("attach_share", vmObjectOf(vm))}
      />
    </VmPage>
  );
});
