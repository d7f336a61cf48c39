import { page } from "fresh";
import { Head } from "fresh/runtime";
import NetworkForm from "../../islands/NetworkForm.tsx";
import { NETWORK_MODES, type NetworkFinding, type NetworkMode } from "../../lib/contract/networks.ts";
import { ContractError } from "../../lib/contract/errors.ts";
import { answerWarnings } from "../../lib/text/notice.ts";
import { type Failure, failureOf } from "../../lib/text/failure.ts";
import { findingIn, networkIn } from "../../lib/network/network_form.ts";
import { MODE_MEANINGS, MODE_NAMES } from "../../lib/network/networks.ts";
import { networkHref } from "../../lib/network/network_href.ts";
import { networks as texts } from "../../lib/i18n/en/networks.ts";
import { t, textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { postedForm } from "../(_shared)/form.ts";
import { fail } from "../(_shared)/fail.ts";

const area = textsOf(texts);

const modeOf = (word: unknown): NetworkMode => NETWORK_MODES.find((mode) => mode === word) ?? "nat";

/** Initial values of the form: an unused subnet, with all addresses but the first ones in the DHCP range. */
function firstValues(mode: NetworkMode, freeIpv4: string | null): Record<string, string> {
  const values: Record<string, string> = { start: "on", autostart: "on" };
  if (freeIpv4 === null || !["nat", "routed", "isolated", "open"].includes(mode)) return values;
  const net = freeIpv4.replace(/\.1\/24$/, "");
  return { ...values, "ipv4.address": freeIpv4, "ipv4.start": `${net}.10`, "ipv4.end": `${net}.254` };
}

export const handler = define.handlers({
  async GET({ state: { api }, url }) {
    const mode = modeOf(url.searchParams.get("mode"));
    const options = await api.getNetworkOptions().catch(fail);
    const findings: readonly NetworkFinding[] = [];
    const failure: Failure | null = null;
    return page({ mode, options, values: firstValues(mode, options.freeIpv4), findings, failure });
  },
  /** The form, where there is no script. */
  async POST(ctx) {
    const { api } = ctx.state;
    const form = await postedForm(ctx.req);
    try {
      const created = await api.createNetwork(networkIn(form)), { name } = created;
      ctx.state.notify({ is: "done", word: "create_network", name, warnings: answerWarnings(created) });
      return ctx.redirect(networkHref(name), 303);
    } catch (error) {
      const failure = failureOf(error);
      return page({
        mode: modeOf(form.get("mode")),
        options: await api.getNetworkOptions().catch(fail),
        values: Object.fromEntries([...form].map(([name, value]) => [name, String(value)])),
        findings: error instanceof ContractError ? findingIn(error) : [],
        failure,
      }, { status: failure.status });
    }
  },
});

/** Making a network. */
export default define.page<typeof handler>(function NewNetwork({ data }) {
  const { mode, options, values, findings, failure } = data;
  const reasonOf = (each: NetworkMode) => options.unavailable.find((one) => one.mode === each)?.reason;
  return (
    <>
      <Head>
        <title>{t("title.page", { page: area.t("networks.new_title") })}</title>
      </Head>
      <header class="page-head">
        <h1>{area.t("networks.new_title")}</h1>
      </header>
      <nav class="tabs" aria-label={area.t("networks.kind")}>
        {NETWORK_MODES.map((each) => {
          const reason = reasonOf(each);
          return (
            <a
              key={each}
              class="tab"
              href={reason === undefined ? `/networks/new?mode=${each}` : undefined}
              role={reason === undefined ? undefined : "link"}
              aria-disabled={reason === undefined ? undefined : "true"}
              aria-current={each === mode ? "page" : undefined}
              title={reason && area.t("networks.unavailable", { reason })}
            >
              {area.t(MODE_NAMES[each])}
            </a>
          );
        })}
      </nav>
      <p class="mode-what">{area.t(MODE_MEANINGS[mode])}</p>
      <NetworkForm mode={mode} options={options} values={values} findings={findings} failure={failure} />
    </>
  );
});
