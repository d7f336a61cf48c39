import { listHref, type ListQuery } from "../lib/format/list_query.ts";
import { list as listTexts } from "../lib/i18n/en/list.ts";
import { number, textsOf } from "../lib/i18n/mod.ts";

const texts = textsOf(listTexts);

/** Links to the pages of the list; the page with script scrolls instead. */
export function Pages({ query, pages }: { query: ListQuery; pages: number }) {
  if (pages <= 1) return null;
  const { page } = query;
  return (
    <nav class="pages noscript-only" aria-label={texts.t("pages.label")}>
      {page > 1 && (
        <a class="button" rel="prev" href={listHref(query, { page: page - 1 })}>
          {texts.t("pages.previous")}
        </a>
      )}
      <span>{texts.t("pages.at", { page: number(page), pages: number(pages) })}</span>
      {page < pages && (
        <a class="button" rel="next" href={listHref(query, { page: page + 1 })}>{texts.t("pages.next")}</a>
      )}
    </nav>
  );
}
