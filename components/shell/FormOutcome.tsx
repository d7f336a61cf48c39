import type { RefusedForm } from "../../lib/text/refused_form.ts";
import { doneText } from "../../lib/text/done.ts";
import { forms } from "../../lib/i18n/en/forms.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { Flash } from "../kit/Flash.tsx";

const { t } = textsOf(forms);

/** What became of the form that led to a page. */
export function FormOutcome({ refused, done }: { refused: RefusedForm | null; done: string | null }) {
  if (refused !== null) return <Flash tone="bad" title={t("forms.refused")} failure={refused.failure} />;
  return <Flash tone="ok">{doneText(done)}</Flash>;
}
