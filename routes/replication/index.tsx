import { page } from "fresh";
import { Head } from "fresh/runtime";
import { ReplicationPrompt, type ReplicationStep } from "../../components/replication/ReplicationPrompt.tsx";
import { REPLICATION_PAGE } from "../../components/replication/ReplicationTables.tsx";
import Replications from "../../islands/Replications.tsx";
import type { Replica, Replication } from "../../lib/contract/mod.ts";
import { replication as texts } from "../../lib/i18n/en/replication.ts";
import { t, textsOf } from "../../lib/i18n/mod.ts";
import { define, type PageState } from "../../lib/page_state.ts";
import { ownNetworks } from "../../lib/vm/own_networks.ts";
import { fail, unlessAway } from "../(_shared)/fail.ts";

const area = textsOf(texts);

/** Query of the page, in its address. */
async function askedIn(
  { api }: PageState,
  search: URLSearchParams,
  { replications, replicas }: {
    readonly replications: readonly Replication[];
    readonly replicas: readonly Replica[];
  },
): Promise<ReplicationStep | null> {
  const outgoing = (what: string) => replications.find(({ id }) => id === search.get(what));
  const ended = outgoing("end"), switched = outgoing("switch"), placed = outgoing("networks");
  if (ended !== undefined) return { what: "end", replication: ended };
  const shown = switched ?? placed;
  if (shown !== undefined) {
    const [vm, there] = await Promise.all([
      api.getVm({ vmId: shown.vmId }).catch(fail),
      api.getNetworks({ host: shown.toHost }).catch(unlessAway),
    ]);
    const own = ownNetworks(vm), what = switched === undefined ? "networks" : "switch";
    return { what, replication: shown, own, there };
  }
  const promoted = replicas.find(({ id }) => id === search.get("promote"));
  if (promoted !== undefined) {
    const [plan, here] = await Promise.all([
      api.getSwitchOverPlan({ replicaId: promoted.id }).catch(fail),
      api.getNetworks().catch(unlessAway),
    ]);
    return { what: "promote", replica: promoted, plan, here };
  }
  const replica = replicas.find(({ id }) => id === search.get("delete"));
  return replica === undefined ? null : { what: "delete", replica };
}

export const handler = define.handlers({
  async GET({ state, url: { searchParams } }) {
    const [replications, replicas] = await Promise.all([
      state.api.listReplications(),
      state.api.listReplicas(),
    ]).catch(fail);
    const asked = await askedIn(state, searchParams, { replications, replicas });
    return page({ replications, replicas, asked, now: Date.now() });
  },
});

/** VMs that are replicated to other hosts, and replicas of theirs. */
export default define.page<typeof handler>(function ReplicationPage({ data, state }) {
  const { replications, replicas, asked, now } = data, mayChange = state.may("update_replication");
  return (
    <>
      <Head>
        <title>{t("title.page", { page: t("nav.replication") })}</title>
      </Head>
      {asked !== null
        ? <ReplicationPrompt asked={asked} refused={state.refused} />
        : (
          <header class="page-head">
            <h1>{area.t("replication.title")}</h1>
          </header>
        )}
      <div class="storage-stack">
        <Replications
          replications={replications}
          replicas={replicas}
          now={now}
          mayChange={mayChange}
          back={REPLICATION_PAGE}
        />
      </div>
    </>
  );
});
