import { page } from "fresh";
import { signal } from "@preact/signals";
import { NIC_VERBS } from "../../../components/vm/devices/NicList.tsx";
import { VmForwards } from "../../../components/network/VmForwards.tsx";
import { VmPage } from "../../../components/vm/VmPage.tsx";
import VmNics from "../../../islands/VmNics.tsx";
import { oneLine } from "../../../lib/text/text.ts";
import { t } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { devicesOf } from "../../(_shared)/devices.ts";
import { fail } from "../../(_shared)/fail.ts";

export const handler = define.handlers({
  async GET(ctx) {
    const devices = await devicesOf(ctx, [...NIC_VERBS, "add"]);
    // Of the networks, which a right to this VM alone does not show.
    const forwards = ctx.state.may("list_port_forwards")
      ? await ctx.state.api.listPortForwards({ vmId: devices.vm.id }).catch(fail)
      : [];
    return page({ ...devices, forwards });
  },
});

/** A VM's network cards. */
export default define.page<typeof handler>(function Network({ data, state }) {
  const { vm, devices, form, options, refused, forwards, now } = data;
  const { connected } = state.connection;
  const shared = signal(vm);
  return (
    <VmPage
      vm={shared}
      state={state}
      now={now}
      title={`${oneLine(vm.name, 60)} · ${t("vm.tab_network")}`}
      at="/network"
    >
      <VmNics
        vm={shared}
        connected={connected}
        devices={devices}
        form={form}
        options={options}
        refused={refused}
      />
      <VmForwards forwards={forwards} />
    </VmPage>
  );
});
