/** Long lists, a page at a time, as their addresses ask for them. Pure. */

/** Rows of a page. */
export const PAGE_ROWS = 100;

/** Page of a list, and its filter. */
export interface PageQuery {
  /** Part of a name or whatever else the list searches; empty: all. */
  readonly q: string;
  /** From 1. */
  readonly page: number;
}

/** A page, and how much there is. */
export interface ListPage<Row> {
  readonly rows: readonly Row[];
  readonly matching: number;
  readonly page: number;
  readonly pages: number;
}

/** The query in an address; what makes no sense there is left out. */
export function pageQuery(params: URLSearchParams): PageQuery {
  const page = Number(params.get("page"));
  return {
    q: (params.get("q") ?? "").trim().slice(0, 200),
    page: Number.isSafeInteger(page) && page > 0 ? page : 1,
  };
}

/** The address of a query. @param more further parameters; empty ones are left out */
export function pageHref(
  here: string,
  { q, page }: PageQuery,
  more: Readonly<Record<string, string>> = {},
): string {
  const all = { ...more, q, page: page > 1 ? String(page) : "" };
  const params = new URLSearchParams(Object.entries(all).filter(([, value]) => value !== ""));
  return params.size === 0 ? here : `${here}?${params}`;
}

/** A page of what was found; beyond the last one, the last. */
export function pageOf<Row>(found: readonly Row[], page: number): ListPage<Row> {
  const pages = Math.max(1, Math.ceil(found.length / PAGE_ROWS));
  const at = Math.min(page, pages);
  return { rows: found.slice((at - 1) * PAGE_ROWS, at * PAGE_ROWS), matching: found.length, page: at, pages };
}
