import type { BinPolicy } from "../../lib/contract/mod.ts";
import { bin as texts } from "../../lib/i18n/en/bin.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { refusalAt, type RefusedForm, typedAgain } from "../../lib/text/refused_form.ts";
import { TextField } from "../kit/Field.tsx";
import { Panel } from "../kit/Panel.tsx";

const { t } = textsOf(texts);

/** How long things are kept, and how much of a pool stays free. */
export function BinSettings({ policy, refused }: { policy: BinPolicy; refused: RefusedForm | null }) {
  const typed = typedAgain(refused, "update_bin_policy");
  const errorAt = (field: string) => refusalAt(refused, "update_bin_policy", field);
  return (
    <Panel title={t("bin.settings")} class="narrow">
      <form method="post" action={formHref("update_bin_policy", {}, "/bin")}>
        <div class="form-grid pad">
          <TextField
            name="days"
            type="number"
            min={0}
            max={365}
            required
            label={t("bin.days")}
            hint={t("bin.days_hint")}
            value={typed?.days ?? String(policy.days)}
            error={errorAt("days")}
          />
          <TextField
            name="freePercent"
            type="number"
            min={0}
            max={50}
            required
            label={t("bin.free_percent")}
            hint={t("bin.free_percent_hint")}
            value={typed?.freePercent ?? String(policy.freePercent)}
            error={errorAt("freePercent")}
          />
        </div>
        <footer class="dialog-foot">
          <button type="submit" class="button primary">{t("bin.save")}</button>
        </footer>
      </form>
    </Panel>
  );
}
