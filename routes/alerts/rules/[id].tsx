import { page } from "fresh";
import { Head } from "fresh/runtime";
import { alertName } from "../../../lib/alerts/name.ts";
import { RuleFields } from "../../../components/alerts/RuleFields.tsx";
import { Panel } from "../../../components/kit/Panel.tsx";
import type { Alert } from "../../../lib/contract/mod.ts";
import { typedFigure } from "../../../lib/alerts/words.ts";
import { alerts as texts } from "../../../lib/i18n/en/alerts.ts";
import { t as common, textsOf } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { formHref } from "../../../lib/text/form_href.ts";
import { refusalAt, typedAgain } from "../../../lib/text/refused_form.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { fail, unlessAway } from "../../(_shared)/fail.ts";

const { t } = textsOf(texts);
const LIST = "/alerts/rules";

export const handler = define.handlers({
  async GET({ state, params }) {
    const alert = await state.api.getAlert({ alertId: params.id ?? "" }).catch(fail);
    return page({ alert, vms: await state.api.getVms().catch(unlessAway) ?? [] });
  },
});

/** Initial values of the form. */
const valuesOf = (alert: Alert): Record<string, string> =>
  Object.fromEntries(
    Object.entries(alert).map(([name, value]) => [
      name,
      name === "threshold" || name === "clearThreshold" ? typedFigure(alert, Number(value)) : String(value),
    ]),
  );

/** An alert, to be changed or deleted. An empty field that may be empty is taken away. */
export default define.page<typeof handler>(function EditAlert({ data: { alert, vms }, state }) {
  const { id: alertId, watches, name } = alert, here = `${LIST}/${encodeURIComponent(alertId)}`;
  const typed = typedAgain(state.refused, "update_alert");
  return (
    <>
      <Head>
        <title>{common("title.page", { page: t("alerts.edit") })}</title>
      </Head>
      <header class="page-head">
        <h1>
          <bdi>{oneLine(alertName(alertId, name), 100)}</bdi>
        </h1>
      </header>
      <div class="settings-page">
        <Panel title={t(`alerts.watches.${watches}`)}>
          <form method="post" action={formHref("update_alert", { alertId, replace: true }, LIST, here)}>
            <RuleFields
              watches={watches}
              values={typed ?? valuesOf(alert)}
              errorAt={(field) => refusalAt(state.refused, "update_alert", field)}
              vms={vms}
            />
            <div class="form-actions">
              <button type="submit" class="button primary">{t("alerts.save")}</button>
              <a class="button" href={LIST}>{t("alerts.cancel")}</a>
            </div>
          </form>
        </Panel>
        <Panel title={t("alerts.delete_title")}>
          <p class="text-muted">{t("alerts.delete_what")}</p>
          <form method="post" action={formHref("delete_alert", { alertId }, LIST, here)}>
            <div class="form-actions">
              <button type="submit" class="button danger">{t("alerts.delete")}</button>
            </div>
          </form>
        </Panel>
      </div>
    </>
  );
});
