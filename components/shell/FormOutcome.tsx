import type { RefusedForm } from "../../lib/text/refused_form.ts";
import { doneText } from "../../lib/text/done.ts";
import { forms } from "../../lib/i18n/en/forms.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { Flash } from "../kit/Flash.tsx";

const { t } = textsOf(forms);

/** What became of the form that led to a page, from the page's address: `?done=` and `?started=` have words of ours. */
export function FormOutcome({ refused, params }: { refused: RefusedForm | null; params: URLSearchParams }) {
  if (refused !== null) return <Flash tone="bad" title={t("forms.refused")} failure={refused.failure} />;
  if (params.has("started")) {
    return (
      <Flash tone="info" icon="loader">
        {t("forms.started")} <a class="button small" href="/tasks">{t("forms.tasks")}</a>
      </Flash>
    );
  }
  return <Flash tone="ok">{doneText(params.get("done"))}</Flash>;
}
