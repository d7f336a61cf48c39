import { page } from "fresh";
import { Head } from "fresh/runtime";
import { OrphanForwards } from "../../components/network/OrphanForwards.tsx";
import { Icon } from "../../components/kit/Icon.tsx";
import NetworkList from "../../islands/NetworkList.tsx";
import { topologyHref } from "../../lib/topology/describe.ts";
import { networks as texts } from "../../lib/i18n/en/networks.ts";
import { t, textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { fail } from "../(_shared)/fail.ts";
import { networkLack } from "../(_shared)/ready.ts";
import { NotReadyBar } from "../../components/host/ReadySteps.tsx";

const area = textsOf(texts);

export const handler = define.handlers({
  async GET({ state }) {
    const [networks, forwards, hangs] = await Promise.all([
      state.api.getNetworks(),
      state.api.listPortForwards({}),
      state.api.listHangs(),
    ]).catch(fail);
    const names = new Set(networks.map(({ name }) => name));
    return page({
      networks,
      lack: await networkLack(state, networks, "/networks"),
      hangs,
      now: Date.now(),
      orphans: forwards.filter(({ network }) => !names.has(network)),
    });
  },
});

/** The list of networks. */
export default define.page<typeof handler>(function Networks({ data, state }) {
  const mayCreate = state.may("create_network");
  return (
    <>
      <Head>
        <title>{t("title.page", { page: t("nav.networks") })}</title>
      </Head>
      <header class="page-head">
        <h1>{area.t("networks.title")}</h1>
        <span class="actions">
          <a class="button" href={topologyHref()}>
            <Icon name="waypoints" />
            <span>{area.t("networks.topology")}</span>
          </a>
          {mayCreate && <a class="button primary" href="/networks/new">{area.t("networks.new")}</a>}
        </span>
      </header>
      {data.networks.length > 0 && <NotReadyBar lack={data.lack} />}
      <NetworkList
        lack={data.lack}
        networks={data.networks}
        hangs={data.hangs}
        now={data.now}
        connected={state.connection.connected}
        mayCreate={mayCreate}
        mayAct={state.may("start_network")}
      />
      <OrphanForwards forwards={data.orphans} />
    </>
  );
});
