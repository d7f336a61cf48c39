import { locale, locales } from "../../lib/i18n/locale.ts";
import { languageName } from "../../lib/i18n/languages.ts";
import { languages } from "../../lib/i18n/en/languages.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { Icon } from "../kit/Icon.tsx";
import { LanguageForm } from "./LanguageForm.tsx";

const { t } = textsOf(languages);

/** The language of the pages in the user's menu, and the others behind it. */
export function LanguageMenu() {
  if (locales().length < 2) return null;
  return (
    <details class="language-menu">
      <summary class="menu-item">
        <Icon name="languages" />
        {t("languages.label")}
        <span class="text-muted">{languageName(locale())}</span>
      </summary>
      <LanguageForm class="language-list" option="menu-item" />
    </details>
  );
}
