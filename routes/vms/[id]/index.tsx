import { page } from "fresh";
import { signal } from "@preact/signals";
import { Done } from "../../../components/Done.tsx";
import { VmPage } from "../../../components/VmPage.tsx";
import ActivityFeed from "../../../islands/ActivityFeed.tsx";
import VmOverview from "../../../islands/VmOverview.tsx";
import { oneLine } from "../../../lib/format/text.ts";
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
  const shared = signal(vm);
  return (
    <VmPage vm={shared} connected={connected} now={now} title={oneLine(vm.name, 60)} at="">
      <Done params={url.searchParams} />
      <VmOverview vm={shared} connected={connected} />
      <ActivityFeed entries={activity} now={now} limit={ACTIVITY} vmId={vm.id} />
    </VmPage>
  );
});
