import { page } from "fresh";
import { Head } from "fresh/runtime";
import { RuleFields } from "../../components/alerts/RuleFields.tsx";
import { Panel } from "../../components/kit/Panel.tsx";
import { ALERT_KINDS } from "../../lib/contract/mod.ts";
import { alerts as texts } from "../../lib/i18n/en/alerts.ts";
import { t as common, textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { refusalAt, typedAgain } from "../../lib/text/refused_form.ts";
import { unlessAway } from "../(_shared)/fail.ts";

const { t } = textsOf(texts);

export const handler = define.handlers({
  async GET({ state, url }) {
    const asked = url.searchParams.get("watches");
    const vmId = url.searchParams.get("vm");
    return page({
      watches: ALERT_KINDS.find((kind) => kind === asked) ?? "vm_metric",
      values: (vmId === null ? {} : { scope: "vm", vmId }) as Record<string, string>,
      vms: await state.api.getVms().catch(unlessAway) ?? [],
    });
  },
});

/** A new alert: its kind is part of the address, so that it needs no script. */
export default define.page<typeof handler>(function NewAlert({ data, state }) {
  const { watches, values, vms } = data;
  const typed = typedAgain(state.refused, "create_alert");
  return (
    <>
      <Head>
        <title>{common("title.page", { page: t("alerts.create") })}</title>
      </Head>
      <header class="page-head">
        <h1>{t("alerts.create")}</h1>
      </header>
      <nav class="tabs" aria-label={t("alerts.watches")}>
        {ALERT_KINDS.map((kind) => (
          <a
            key={kind}
            class="tab"
            href={`/alerts/new?watches=${kind}`}
            aria-current={kind === watches ? "page" : undefined}
          >
            {t(`alerts.watches.${kind}`)}
          </a>
        ))}
      </nav>
      <Panel title={t(`alerts.watches.${watches}`)}>
        <form
          method="post"
          action={formHref("create_alert", { watches }, "/alerts/rules", `/alerts/new?watches=${watches}`)}
        >
          <RuleFields
            watches={watches}
            values={typed ?? values}
            errorAt={(field) => refusalAt(state.refused, "create_alert", field)}
            vms={vms}
          />
          <div class="form-actions">
            <button type="submit" class="button primary">{t("alerts.create")}</button>
            <a class="button" href="/alerts/rules">{t("alerts.cancel")}</a>
          </div>
        </form>
      </Panel>
    </>
  );
});
