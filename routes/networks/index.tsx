import { page } from "fresh";
import { Head } from "fresh/runtime";
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
    return page({ networks: await state.api.getNetworks().catch(fail) });
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
      <NetworkList networks={data.networks} connected={state.connection.connected} />
    </>
  );
});
