import { page } from "fresh";
import { Head } from "fresh/runtime";
import { ForwardDone } from "../../components/ForwardDone.tsx";
import { OrphanForwards } from "../../components/OrphanForwards.tsx";
import { NetworkDone } from "../../components/NetworkDone.tsx";
import { Icon } from "../../components/Icon.tsx";
import NetworkList from "../../islands/NetworkList.tsx";
import { topologyHref } from "../../lib/format/topology.ts";
import { networks as texts } from "../../lib/i18n/en/networks.ts";
import { t, textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { fail } from "../(_shared)/fail.ts";

const area = textsOf(texts);

export const handler = define.handlers({
  async GET({ state }) {
    const [networks, forwards] = await Promise.all([
      state.api.getNetworks(),
      state.api.listPortForwards({}),
    ]).catch(fail);
    const names = new Set(networks.map(({ name }) => name));
    return page({ networks, orphans: forwards.filter(({ network }) => !names.has(network)) });
  },
});

/** The list of networks. */
export default define.page<typeof handler>(function Networks({ data, state, url }) {
  return (
    <>
      <Head>
        <title>{t("title.page", { page: t("nav.networks") })}</title>
      </Head>
      <NetworkDone params={url.searchParams} />
      <header class="page-head">
        <h1>{area.t("networks.title")}</h1>
        <span class="actions">
          <a class="button" href={topologyHref()}>
            <Icon name="waypoints" />
            <span>{area.t("networks.topology")}</span>
          </a>
          <a class="button primary" href="/networks/new">{area.t("networks.new")}</a>
        </span>
      </header>
      <ForwardDone params={url.searchParams} />
      <NetworkList networks={data.networks} connected={state.connection.connected} />
      <OrphanForwards forwards={data.orphans} />
    </>
  );
});
