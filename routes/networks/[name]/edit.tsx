import { page } from "fresh";
import { Head } from "fresh/runtime";
import { NetworkSettingsFields } from "../../../components/network/NetworkFields.tsx";
import { Panel } from "../../../components/kit/Panel.tsx";
import { ContractError } from "../../../lib/contract/errors.ts";
import type { NetworkFinding } from "../../../lib/contract/networks.ts";
import { type Failure, failureOf } from "../../../lib/text/failure.ts";
import { findingIn, findingOf, settingsIn, settingsValues } from "../../../lib/network/network_form.ts";
import { networkHref } from "../../../lib/network/network_href.ts";
import { nameIn } from "../../../lib/text/path_segment.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { networks as texts } from "../../../lib/i18n/en/networks.ts";
import { t, textsOf } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { postedForm } from "../../(_shared)/form.ts";
import { fail } from "../../(_shared)/fail.ts";
import { typedFields } from "../../../lib/text/typed_fields.ts";

const area = textsOf(texts);
/** Modes that lead to a device directly: nothing of theirs can be changed. */
const FIXED: ReadonlySet<string> = new Set(["macvtap", "sriov", "other"]);

export const handler = define.handlers({
  async GET({ state: { api }, params }) {
    const network = await api.getNetwork({ name: nameIn(params.name ?? "") }).catch(fail);
    const findings: readonly NetworkFinding[] = [];
    const failure: Failure | null = null;
    return page({ network, values: settingsValues(network.next), findings, failure });
  },
  async POST(ctx) {
    const { api } = ctx.state;
    const network = await api.getNetwork({ name: nameIn(ctx.params.name ?? "") }).catch(fail);
    const form = await postedForm(ctx.req);
    try {
      await api.updateNetwork({ name: network.name, ...settingsIn(form, network.next) });
    } catch (error) {
      const findings = error instanceof ContractError ? findingIn(error) : [];
      const failure = failureOf(error);
      return page({ network, values: typedFields(form), findings, failure }, { status: failure.status });
    }
    ctx.state.notify({ is: "done", word: "update_network", name: network.name });
    return ctx.redirect(networkHref(network.name), 303);
  },
});

/** Changing a network that is there. */
export default define.page<typeof handler>(function EditNetwork({ data, state }) {
  const { network: { name, mode, active }, values, findings, failure } = data;
  const title = area.t("networks.edit_title", { name: oneLine(name, 60) });
  const isFixed = FIXED.has(mode);
  return (
    <>
      <Head>
        <title>{t("title.page", { page: title })}</title>
      </Head>
      <header class="page-head">
        <h1>{title}</h1>
      </header>
      <p class="mode-what">
        {area.t(
          isFixed ? "networks.edit_nothing" : active ? "networks.edit_running" : "networks.edit_stopped",
        )}
      </p>
      <form class="network-form" method="post">
        {failure !== null && <p class="form-error" role="alert">{failure.why}</p>}
        {!isFixed && (
          <Panel title={area.t("networks.settings")}>
            <NetworkSettingsFields
              mode={mode}
              values={values}
              errorOf={(field) => findingOf(findings, field)}
            />
          </Panel>
        )}
        <div class="form-actions">
          <a class="button" href={networkHref(name)}>{area.t("networks.cancel")}</a>
          {!isFixed && (
            <button type="submit" class="button primary" disabled={!state.connection.connected}>
              {area.t("networks.save")}
            </button>
          )}
        </div>
      </form>
    </>
  );
});
