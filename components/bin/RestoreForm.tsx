import type { BinEntry } from "../../lib/contract/mod.ts";
import { bin as texts } from "../../lib/i18n/en/bin.ts";
import { t as common, textsOf } from "../../lib/i18n/mod.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { refusalAt, type RefusedForm, typedAgain } from "../../lib/text/refused_form.ts";
import { oneLine } from "../../lib/text/text.ts";
import { TextField } from "../kit/Field.tsx";
import { Panel } from "../kit/Panel.tsx";

const { t } = textsOf(texts);

/** Restores something under another name, where its own was taken. */
export function RestoreForm(
  { entry: { id, name }, refused }: { entry: BinEntry; refused: RefusedForm | null },
) {
  const typed = typedAgain(refused, "restore_bin_entry");
  return (
    <Panel title={t("bin.restore_of", { name: oneLine(name, 60) })} class="narrow">
      <form
        method="post"
        action={formHref("restore_bin_entry", { entryId: id }, "/bin", `/bin?restore=${id}`)}
      >
        <div class="form-grid pad">
          <TextField
            name="name"
            label={t("bin.restore_as")}
            hint={t("bin.restore_as_what")}
            value={typed?.name ?? ""}
            error={refusalAt(refused, "restore_bin_entry", "name")}
            maxLength={200}
            autoFocus
          />
        </div>
        <footer class="dialog-foot">
          <a class="button" href="/bin">{common("danger.cancel")}</a>
          <button type="submit" class="button primary">{t("bin.restore")}</button>
        </footer>
      </form>
    </Panel>
  );
}
