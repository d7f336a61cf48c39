import { listHref, type ListQuery } from "../lib/format/list_query.ts";
import { number, t } from "../lib/i18n/mod.ts";

/** Links to the pages of the list; the page with script scrolls instead. */
export function Pages({ query, pages }: { query: ListQuery; pages: number }) {
  if (pages <= 1) return null;
  const { page } = query;
  return (
    <nav class="pages noscript-only" aria-label={t("pages.label")}>
      {page > 1 && (
        <a class="button" rel="prev" href={listHref(query, { page: page - 1 })}>{t("pages.previous")}</a>
      )}
      <span>{t("pages.at", { page: number(page), pages: number(pages) })}</span>
      {page < pages && (
        <a class="button" rel="next" href={listHref(query, { page: page + 1 })}>{t("pages.next")}</a>
      )}
    </nav>
  );
}
