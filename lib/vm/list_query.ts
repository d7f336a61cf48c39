/** Query of the list of VMs: the state of the page that lives in its URL, the same on server and browser. */
import type { VmState } from "../contract/mod.ts";
import { STATE_ORDER } from "./state.ts";

export const SORTS = ["name", "state", "cpu", "memory", "address", "disk", "uptime", "tags", "host"] as const;
/** Column the list is sorted by. */
export type Sort = typeof SORTS[number];

export const GROUPINGS = ["none", "state", "tag", "group", "project", "host"] as const;
/** Properties that VMs are grouped by. */
export type Grouping = typeof GROUPINGS[number];

export const VIEWS = ["table", "cards"] as const;
export type View = typeof VIEWS[number];

/** Filter by state, or for all VMs that need attention. */
export type StateFilter = VmState | "attention" | "all";
export const STATE_FILTERS: readonly StateFilter[] = ["all", ...STATE_ORDER, "attention"];

export interface ListQuery {
  readonly q: string;
  readonly state: StateFilter;
  /** Only VMs with this tag; empty for all. */
  readonly tag: string;
  /** Only VMs of this group; empty for all. */
  readonly group: string;
  /** Only VMs of this host, as they name it; empty for all. */
  readonly host: string;
  /** Only VMs of the project with this name; empty for all. */
  readonly project: string;
  readonly by: Grouping;
  readonly sort: Sort;
  readonly dir: "asc" | "desc";
  readonly view: View;
  /** From 1; only the page without script has pages. */
  readonly page: number;
}

export const DEFAULT_QUERY: ListQuery = {
  q: "",
  state: "all",
  tag: "",
  group: "",
  host: "",
  project: "",
  by: "none",
  sort: "name",
  dir: "asc",
  view: "table",
  page: 1,
};

/** Longest text taken from the URL. */
const LONGEST = 256;

function word<T extends string>(value: string | null, words: readonly T[], otherwise: T): T {
  return words.find((one) => one === value) ?? otherwise;
}

/** Reads the query from a URL; what makes no sense falls back to the default. */
export function parseListQuery(params: URLSearchParams): ListQuery {
  const text = (name: string) => (params.get(name) ?? "").slice(0, LONGEST);
  const page = Number(params.get("page"));
  return {
    q: text("q"),
    state: word(params.get("state"), STATE_FILTERS, DEFAULT_QUERY.state),
    tag: text("tag"),
    group: text("group"),
    host: text("host"),
    project: text("project"),
    by: word(params.get("by"), GROUPINGS, DEFAULT_QUERY.by),
    sort: word(params.get("sort"), SORTS, DEFAULT_QUERY.sort),
    dir: word(params.get("dir"), ["asc", "desc"], DEFAULT_QUERY.dir),
    view: word(params.get("view"), VIEWS, DEFAULT_QUERY.view),
    page: Number.isSafeInteger(page) && page > 0 ? page : 1,
  };
}

/** Writes the query as `?…`, without what is the default anyway; empty when all is. */
export function listSearch(query: ListQuery): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== DEFAULT_QUERY[key as keyof ListQuery]) params.set(key, String(value));
  }
  return params.size === 0 ? "" : `?${params}`;
}

/** Link to the list with part of the query changed; back on the first page, as the rows are others. */
export function listHref(query: ListQuery, change: Partial<ListQuery> = {}): string {
  return `/vms${listSearch({ ...query, page: 1, ...change })}`;
}

/** Figures are looked at from the greatest down, words from A up. */
const FIRST_DIR: Readonly<Record<Sort, "asc" | "desc">> = {
  name: "asc",
  state: "asc",
  cpu: "desc",
  memory: "desc",
  address: "asc",
  disk: "desc",
  uptime: "desc",
  tags: "asc",
  host: "asc",
};

/** The change a click on a column's header makes: sort by it, or turn the order around. */
export function sortBy(query: ListQuery, sort: Sort): Pick<ListQuery, "sort" | "dir"> {
  if (query.sort !== sort) return { sort, dir: FIRST_DIR[sort] };
  return { sort, dir: query.dir === "asc" ? "desc" : "asc" };
}
