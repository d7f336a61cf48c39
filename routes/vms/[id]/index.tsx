import { page } from "fresh";
import { Head } from "fresh/runtime";
import { signal } from "@preact/signals";
import { Done } from "../../../components/Done.tsx";
import { VmTabs } from "../../../components/VmTabs.tsx";
import ActivityFeed from "../../../islands/ActivityFeed.tsx";
import VmHeader from "../../../islands/VmHeader.tsx";
import VmOverview from "../../../islands/VmOverview.tsx";
import { oneLine } from "../../../lib/format/text.ts";
import { t } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { fail } from "../../(_shared)/fail.ts";
import { vmOf } from "../../(_shared)/vm.ts";

const ACTIVITY = 12;

export const handler = define.handlers({
  async GET(ctx) {
    const vm = await vmOf(ctx);
    const activity = await ctx.state.api.getActivity({ vmId: vm.id, limit: ACTIVITY }).catch(fail);
    return page({ vm, activity, now: Date.now() });
  },
});

/** A machine at a glance. */
export default define.page<typeof handler>(function Vm({ data, state, url }) {
  const { vm, activity, now } = data;
  const { connected } = state.connection;
  const shared = signal(vm); // one signal for all islands of the page
  return (
    <>
      <Head>
        <title>{t("title.page", { page: oneLine(vm.name, 60) })}</title>
      </Head>
      <Done params={url.searchParams} />
      <VmHeader vm={shared} connected={connected} now={now} />
      <VmTabs vmId={vm.id} at="" />
      <VmOverview vm={shared} connected={connected} />
      <ActivityFeed entries={activity} now={now} limit={ACTIVITY} vmId={vm.id} />
    </>
  );
});
