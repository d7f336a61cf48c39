import { HELP } from "../../lib/help/chapters.ts";
import { help as texts } from "../../lib/i18n/en/help.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { Icon } from "../kit/Icon.tsx";

const { t } = textsOf(texts);

/** The field in which the documentation is searched. */
export function HelpSearch({ question = "" }: { question?: string }) {
  return (
    <form class="help-search" action={HELP} role="search">
      <label class="field search-field">
        <Icon name="search" />
        <input
          type="search"
          name="q"
          value={question}
          maxLength={200}
          placeholder={t("help.search")}
          aria-label={t("help.search")}
        />
      </label>
      <button type="submit" class="button">{t("help.search_do")}</button>
    </form>
  );
}
