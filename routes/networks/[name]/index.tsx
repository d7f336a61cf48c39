import { page } from "fresh";
import { Head } from "fresh/runtime";
import { XmlCode } from "../../../components/vm/XmlCode.tsx";
import NetworkDetail from "../../../islands/NetworkDetail.tsx";
import NetworkForwards from "../../../islands/NetworkForwards.tsx";
import { nameIn } from "../../../lib/text/path_segment.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { networks as texts } from "../../../lib/i18n/en/networks.ts";
import { t, textsOf } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { fail, unlessAway } from "../../(_shared)/fail.ts";

const area = textsOf(texts);

export const handler = define.handlers({
  async GET({ state: { api }, params }) {
    const name = nameIn(params.name ?? "");
    const [network, leases, forwards, forwarding, hangs] = await Promise.all([
      api.getNetwork({ name }),
      api.getNetworkLeases({ name }).catch(unlessAway),
      api.listPortForwards({ network: name }),
      api.getPortForwarding(),
      api.listHangs(),
    ]).catch(fail);
    return page({ network, leases: leases ?? [], hangs, forwards, forwarding, now: Date.now() });
  },
});

/** One network. */
export default define.page<typeof handler>(function NetworkPage({ data, state }) {
  const { network: { xml, ...network }, leases, hangs, forwards, forwarding, now } = data;
  const { connected } = state.connection;
  return (
    <>
      <Head>
        <title>{t("title.page", { page: oneLine(network.name, 60) })}</title>
      </Head>
      <NetworkDetail network={network} leases={leases} hangs={hangs} connected={connected} now={now} />
      <NetworkForwards
        network={network}
        forwards={forwards}
        forwarding={forwarding}
        connected={connected}
      />
      <details class="panel fold">
        <summary class="panel-head">
          <h2>{area.t("networks.definition")}</h2>
        </summary>
        <XmlCode xml={xml} />
      </details>
    </>
  );
});
