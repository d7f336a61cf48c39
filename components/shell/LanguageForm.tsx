import { locale, locales } from "../../lib/i18n/locale.ts";
import { directionOf, languageName } from "../../lib/i18n/languages.ts";
import { languages } from "../../lib/i18n/en/languages.ts";
import { textsOf } from "../../lib/i18n/mod.ts";

const { t } = textsOf(languages);

/** The languages, each in its own; a press chooses it. Needs no script. Nothing where there is one alone. */
export function LanguageForm({ class: look, option }: { class: string; option: string }) {
  const all = locales(), now = locale();
  if (all.length < 2) return null;
  return (
    <form method="post" action="/preferences" class={look} aria-label={t("languages.label")}>
      {all.map((tag) => (
        <button
          key={tag}
          type="submit"
          name="lang"
          value={tag}
          lang={tag}
          dir={directionOf(tag)}
          class={option}
          aria-pressed={tag === now}
        >
          {languageName(tag)}
        </button>
      ))}
      <button type="submit" name="lang" value="browser" class={option}>{t("languages.browser")}</button>
    </form>
  );
}
