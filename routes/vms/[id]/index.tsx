import { page } from "fresh";
import { signal } from "@preact/signals";
import { VmPage } from "../../../components/vm/VmPage.tsx";
import ActivityFeed from "../../../islands/ActivityFeed.tsx";
import VmOverview from "../../../islands/VmOverview.tsx";
import { Flash } from "../../../components/kit/Flash.tsx";
import { ReplicationFlash } from "../../../components/replication/ReplicationFlash.tsx";
import { placement as texts } from "../../../lib/i18n/en/placement.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { log } from "../../../agent/log.ts";
import { define, type PageState } from "../../../lib/page_state.ts";
import { fail } from "../../(_shared)/fail.ts";
import { liveSeedOf } from "../../(_shared)/monitoring.ts";
import { vmReplications } from "../../(_shared)/replications.ts";
import { vmOf } from "../../(_shared)/vm.ts";

const { t } = textsOf(texts);
const ACTIVITY = 12;

/** Rules that do not hold for a VM. A linked host of an earlier version knows none: its page is there all the same. */
async function brokenRules({ api }: PageState, vmId: string): Promise<readonly string[]> {
  try {
    return (await api.getVmPlacement({ vmId })).broken;
  } catch (error) {
    log.debug("the rules of placement of a VM cannot be read", { vmId, error });
    return [];
  }
}

export const handler = define.handlers({
  async GET(ctx) {
    const vm = await vmOf(ctx);
    const { api } = ctx.state;
    const [activity, seed, broken, replications] = await Promise.all([
      api.getActivity({ vmId: vm.id, limit: ACTIVITY }).catch(fail),
      liveSeedOf(api, { vmId: vm.id }),
      brokenRules(ctx.state, vm.id),
      vmReplications(ctx.state, vm.id),
    ]);
    return page({ vm, activity, seed, broken, replications, now: Date.now() });
  },
});

/** A VM at a glance. */
export default define.page<typeof handler>(function Vm({ data, state }) {
  const { vm, activity, seed, broken, replications, now } = data;
  const { connected } = state.connection;
  const shared = signal(vm);
  return (
    <VmPage vm={shared} state={state} now={now} title={oneLine(vm.name, 60)} at="">
      {broken.length > 0 && (
        <Flash tone="warn" title={t("placement.vm_broken")}>
          {broken.map((text) => oneLine(text, 300)).join(" · ")}
        </Flash>
      )}
      {replications.map((each) => <ReplicationFlash key={each.id} of={each} vm={vm} now={now} />)}
      <div class="overview-page">
        <VmOverview vm={shared} seed={seed} connected={connected} />
        <ActivityFeed entries={activity} now={now} limit={ACTIVITY} vmId={vm.id} />
      </div>
    </VmPage>
  );
});
