import { list as listTexts } from "../../lib/i18n/en/list.ts";
import { number, textsOf } from "../../lib/i18n/mod.ts";

const texts = textsOf(listTexts);

/** Props of {@link Pagination}. */
export interface PaginationProps {
  page: number;
  pages: number;
  hrefOf: (page: number) => string;
  /** Name of the list, for screen readers. */
  label?: string;
  class?: string;
}

/** Links to the pages of a list; nothing where there is one. */
export function Pagination({ page, pages, hrefOf, label, class: extra }: PaginationProps) {
  if (pages <= 1) return null;
  return (
    <nav
      class={extra === undefined ? "pages" : `pages ${extra}`}
      aria-label={label ?? texts.t("pages.label")}
    >
      {page > 1 && <a class="button" rel="prev" href={hrefOf(page - 1)}>{texts.t("pages.previous")}</a>}
      <span>{texts.t("pages.at", { page: number(page), pages: number(pages) })}</span>
      {page < pages && <a class="button" rel="next" href={hrefOf(page + 1)}>{texts.t("pages.next")}</a>}
    </nav>
  );
}
