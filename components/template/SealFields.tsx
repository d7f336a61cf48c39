import { SEALS } from "../../lib/contract/template_bounds.ts";
import { templates as texts } from "../../lib/i18n/en/templates.ts";
import { textsOf } from "../../lib/i18n/mod.ts";

const { t } = textsOf(texts);

/** Checkboxes for the data to remove from the guest in a template's disks, none of them ticked at first. */
export function SealFields({ chosen }: { chosen: readonly string[] }) {
  return (
    <fieldset class="choices form-field wide">
      <legend>{t("templates.seal")}</legend>
      <div class="box-list">
        {SEALS.map((seal) => (
          <label key={seal} class="check">
            <input type="checkbox" name="seal" value={seal} defaultChecked={chosen.includes(seal)} />
            <span>{t(`templates.seal.${seal}`)}</span>
          </label>
        ))}
      </div>
      <p class="form-hint">{t("templates.seal_hint")}</p>
    </fieldset>
  );
}
