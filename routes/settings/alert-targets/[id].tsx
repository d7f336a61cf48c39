import { HttpError, page } from "fresh";
import { SettingsPage } from "../../../components/access/SettingsPage.tsx";
import { TargetFields } from "../../../components/alerts/TargetFields.tsx";
import { Panel } from "../../../components/kit/Panel.tsx";
import type { AlertTarget } from "../../../lib/contract/mod.ts";
import { alerts as texts } from "../../../lib/i18n/en/alerts.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { formHref } from "../../../lib/text/form_href.ts";
import { refusalAt, typedAgain } from "../../../lib/text/refused_form.ts";
import { fail } from "../../(_shared)/fail.ts";

const { t } = textsOf(texts);
const LIST = "/settings/alert-targets";

export const handler = define.handlers({
  async GET({ state, params }) {
    const targets = await state.api.listAlertTargets().catch(fail);
    const target = targets.find(({ id }) => id === params.id);
    if (target === undefined) throw new HttpError(404);
    state.subject = target.name;
    return page({ target });
  },
});

/** Initial values of the form. */
function valuesOf({ mailTo = [], privateAddresses, ...rest }: AlertTarget): Record<string, string> {
  const values = Object.entries(rest).map(([name, value]) => [name, String(value)]);
  return {
    ...Object.fromEntries(values),
    mailTo: mailTo.join(", "),
    ...(privateAddresses && { privateAddresses: "yes" }),
  };
}

/** A target, to be changed. Its address and its secret are not shown; left empty, they stay as they are. */
export default define.page<typeof handler>(function EditTarget({ data: { target }, state }) {
  const { id: targetId, channel } = target, here = `${LIST}/${encodeURIComponent(targetId)}`;
  const typed = typedAgain(state.refused, "update_alert_target");
  return (
    <SettingsPage at={LIST} user={state.user}>
      <Panel title={`${t("alerts.target_edit")}: ${t(`alerts.channel.${channel}`)}`}>
        <form method="post" action={formHref("update_alert_target", { targetId, replace: true }, LIST, here)}>
          <TargetFields
            channel={channel}
            values={typed ?? valuesOf(target)}
            errorAt={(field) => refusalAt(state.refused, "update_alert_target", field)}
            again={typed !== undefined}
            isKept
          />
          <div class="form-actions">
            <button type="submit" class="button primary">{t("alerts.save")}</button>
            <a class="button" href={LIST}>{t("alerts.cancel")}</a>
          </div>
        </form>
      </Panel>
    </SettingsPage>
  );
});
