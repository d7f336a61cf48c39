import { page } from "fresh";
import { signal } from "@preact/signals";
import { VmPage } from "../../../components/vm/VmPage.tsx";
import ActivityFeed from "../../../islands/ActivityFeed.tsx";
import VmOverview from "../../../islands/VmOverview.tsx";
import { oneLine } from "../../../lib/text/text.ts";
import { define } from "../../../lib/page_state.ts";
import { fail } from "../../(_shared)/fail.ts";
import { liveSeedOf } from "../../(_shared)/monitoring.ts";
import { vmOf } from "../../(_shared)/vm.ts";

const ACTIVITY = 12;

export const handler = define.handlers({
  async GET(ctx) {
    const vm = await vmOf(ctx);
    const { api } = ctx.state;
    const [activity, seed] = await Promise.all([
      api.getActivity({ vmId: vm.id, limit: ACTIVITY }).catch(fail),
      liveSeedOf(api, { vmId: vm.id }),
    ]);
    return page({ vm, activity, seed, now: Date.now() });
  },
});

/** A VM at a glance. */
export default define.page<typeof handler>(function Vm({ data, state }) {
  const { vm, activity, seed, now } = data;
  const { connected } = state.connection;
  const shared = signal(vm);
  return (
    <VmPage vm={shared} state={state} now={now} title={oneLine(vm.name, 60)} at="">
      <div class="overview-page">
        <VmOverview vm={shared} seed={seed} connected={connected} />
        <ActivityFeed entries={activity} now={now} limit={ACTIVITY} vmId={vm.id} />
      </div>
    </VmPage>
  );
});
