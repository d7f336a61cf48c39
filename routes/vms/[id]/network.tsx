import { page } from "fresh";
import { signal } from "@preact/signals";
import { DeviceDone } from "../../../components/DeviceMarks.tsx";
import { NIC_VERBS } from "../../../components/NicList.tsx";
import { VmForwards } from "../../../components/VmForwards.tsx";
import { VmPage } from "../../../components/VmPage.tsx";
import VmNics from "../../../islands/VmNics.tsx";
import { oneLine } from "../../../lib/format/text.ts";
import { t } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { devicePost, devicesOf } from "../../(_shared)/devices.ts";
import { fail } from "../../(_shared)/fail.ts";

export const handler = define.handlers({
  async GET(ctx) {
    const devices = await devicesOf(ctx, [...NIC_VERBS, "add"]);
    const forwards = await ctx.state.api.listPortForwards({ vmId: devices.vm.id }).catch(fail);
    return page({ ...devices, forwards });
  },
  async POST(ctx) {
    const done = await devicePost(ctx, await ctx.req.formData());
    return ctx.redirect(`${ctx.url.pathname}?done=${done}`, 303);
  },
});

/** A machine's network cards. */
export default define.page<typeof handler>(function Network({ data, state, url }) {
  const { vm, devices, form, options, forwards, now } = data;
  const { connected } = state.connection;
  const shared = signal(vm);
  return (
    <VmPage
      vm={shared}
      connected={connected}
      now={now}
      title={`${oneLine(vm.name, 60)} · ${t("vm.tab_network")}`}
      at="/network"
    >
      <DeviceDone params={url.searchParams} />
      <VmNics vm={shared} connected={connected} devices={devices} form={form} options={options} />
      <VmForwards forwards={forwards} />
    </VmPage>
  );
});
