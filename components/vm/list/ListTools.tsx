import type { JSX, RefObject } from "preact";
import { isPlainClick } from "../../../lib/client/click.ts";
import type { Grouping, ListQuery, Sort, StateFilter, View } from "../../../lib/vm/list_query.ts";
import { DEFAULT_QUERY, listHref, sortBy } from "../../../lib/vm/list_query.ts";
import { STATE_ORDER, STATES } from "../../../lib/vm/state.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { list as listTexts } from "../../../lib/i18n/en/list.ts";
import { number, type PlainKey, type PlainKeyOf, t, textsOf } from "../../../lib/i18n/mod.ts";
import { clearOnEscape } from "../../kit/clear_on_escape.ts";
import { Icon } from "../../kit/Icon.tsx";
import type { IconName } from "../../kit/icons.ts";
import { sortableColumns } from "./columns.ts";

const texts = textsOf(listTexts);
type ListKey = PlainKeyOf<typeof listTexts>;

/** Props of {@link ListTools}. */
export interface ListToolsProps {
  /** Hosts by their names in VMs, with their labels; empty if the list is of one host. */
  hosts: ReadonlyMap<string, string>;
  query: ListQuery;
  counts: Readonly<Record<StateFilter, number>>;
  search: RefObject<HTMLInputElement>;
  onAsk: (change: Partial<ListQuery>) => void;
}

const FILTERS: readonly { state: StateFilter; label: PlainKey; always: boolean }[] = [
  { state: "all", label: "filter.all", always: true },
  ...STATE_ORDER.map((state) => ({
    state,
    label: STATES[state].word,
    always: state === "running" || state === "stopped",
  })),
  { state: "attention", label: "filter.attention", always: true },
];

/** Other filters of the list. */
const NARROWED = [
  { field: "tag", label: "filter.tag" },
  { field: "group", label: "filter.group" },
  { field: "host", label: "filter.host" },
  { field: "project", label: "filter.project" },
] as const;

const GROUPINGS: readonly { by: Grouping; label: ListKey }[] = [
  { by: "none", label: "group.none" },
  { by: "state", label: "group.by_state" },
  { by: "tag", label: "group.by_tag" },
  { by: "group", label: "group.by_group" },
  { by: "project", label: "group.by_project" },
  { by: "host", label: "group.by_host" },
];

const VIEWS: readonly { view: View; label: ListKey; icon: IconName }[] = [
  { view: "table", label: "view.table", icon: "list" },
  { view: "cards", label: "view.cards", icon: "cards" },
];

/** A link that changes the list in place; a plain link without script, or in a new tab. */
function Ask({ query, change, onAsk, ...props }:
  & { query: ListQuery; change: Partial<ListQuery>; onAsk: ListToolsProps["onAsk"] }
  & JSX.AnchorHTMLAttributes<HTMLAnchorElement>) {
  return (
    <a
      {...props}
      href={listHref(query, change)}
      onClick={(event) => {
        if (!isPlainClick(event)) return;
        event.preventDefault();
        onAsk(change);
      }}
    />
  );
}

/** The chips that narrow the list: states, and what else was chosen, with a cross. */
function Chips(
  { query, counts, hosts, onAsk }: Pick<ListToolsProps, "query" | "counts" | "hosts" | "onAsk">,
) {
  const shown = FILTERS.filter(({ state, always }) => always || counts[state] > 0 || query.state === state);
  const extra = NARROWED.flatMap(({ field, label }) => {
    const value = query[field];
    if (value === "") return [];
    return [{ field, label, text: oneLine(field === "host" ? hosts.get(value) ?? value : value, 40) }];
  });
  return (
    <nav class="chips" aria-label={t("filter.label")}>
      {shown.map(({ state, label }) => (
        <Ask
          key={state}
          class="chip"
          query={query}
          change={{ state }}
          onAsk={onAsk}
          aria-current={query.state === state ? "true" : undefined}
          data-tone={state === "attention" && counts.attention > 0 ? "warn" : undefined}
        >
          {t(label)}
          <span class="chip-count">{number(counts[state])}</span>
        </Ask>
      ))}
      {extra.map(({ field, label, text }) => (
        <Ask
          key={field}
          class="chip"
          query={query}
          change={{ [field]: "" }}
          onAsk={onAsk}
          aria-current="true"
          aria-label={t("filter.remove", { what: text })}
        >
          {t(label)}
          <bdi>{text}</bdi>
          <Icon name="close" />
        </Ask>
      ))}
    </nav>
  );
}

/** Parts of the query that have no field of their own in the form. */
function HiddenFields({ query }: { query: ListQuery }) {
  const fields = ["state", "tag", "group", "host", "project", "dir", "view"] as const;
  return (
    <>
      {fields.filter((name) => query[name] !== DEFAULT_QUERY[name]).map((name) => (
        <input key={name} type="hidden" name={name} value={query[name]} />
      ))}
    </>
  );
}

/** Form of the tools, which the order below it belongs to as well. */
const FORM = "list-tools";

/** The order, where the headings of the table are not there to choose it by: styles decide where. */
function SortTools({ query, hosts, onAsk }: Pick<ListToolsProps, "query" | "hosts" | "onAsk">) {
  const isRising = query.dir === "asc";
  const turn = texts.t(isRising ? "sort.descending" : "sort.ascending");
  return (
    <div class="tools-sort">
      <label class="field">
        <span class="field-label">{texts.t("sort.label")}</span>
        <select
          aria-label={texts.t("sort.label")}
          name="sort"
          form={FORM}
          value={query.sort}
          onChange={(event) => onAsk(sortBy(query, event.currentTarget.value as Sort))}
        >
          {sortableColumns(hosts.size > 0 || query.sort === "host").map(({ sort, label }) => (
            <option key={sort} value={sort} selected={sort === query.sort}>{t(label)}</option>
          ))}
        </select>
      </label>
      <Ask
        class="button square"
        query={query}
        change={{ dir: isRising ? "desc" : "asc" }}
        onAsk={onAsk}
        aria-label={turn}
        title={turn}
      >
        <Icon name={isRising ? "sortUp" : "sortDown"} />
      </Ask>
    </div>
  );
}

/** Filter, search, grouping and view of the list. Links and a plain form without script. */
export function ListTools({ query, counts, hosts, search, onAsk }: ListToolsProps) {
  return (
    <div class="tools" data-view={query.view}>
      <Chips query={query} counts={counts} hosts={hosts} onAsk={onAsk} />
      <form
        id={FORM}
        class="tools-form"
        action="/vms"
        role="search"
        onSubmit={(event) => event.preventDefault()}
      >
        <HiddenFields query={query} />
        <label class="field search-field">
          <Icon name="search" />
          <input
            ref={search}
            type="search"
            name="q"
            value={query.q}
            placeholder={texts.t("list.search")}
            aria-label={texts.t("list.search")}
            aria-keyshortcuts="/"
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => onAsk({ q: event.currentTarget.value })}
            onKeyDown={clearOnEscape(query.q, () => onAsk({ q: "" }))}
          />
          <kbd aria-hidden="true">/</kbd>
        </label>
        <label class="field">
          <span class="field-label">{texts.t("group.label")}</span>
          <select
            aria-label={texts.t("group.label")}
            name="by"
            value={query.by}
            onChange={(event) => onAsk({ by: event.currentTarget.value as Grouping })}
          >
            {GROUPINGS.filter(({ by }) => by !== "host" || hosts.size > 0 || query.by === "host").map((
              { by, label },
            ) => <option key={by} value={by} selected={by === query.by}>{texts.t(label)}</option>)}
          </select>
        </label>
        <button type="submit" class="button noscript-only">{texts.t("list.apply")}</button>
      </form>
      <SortTools query={query} hosts={hosts} onAsk={onAsk} />
      <nav class="segments" aria-label={texts.t("view.label")}>
        {VIEWS.map(({ view, label, icon }) => (
          <Ask
            key={view}
            class="segment"
            query={query}
            change={{ view }}
            onAsk={onAsk}
            aria-label={texts.t(label)}
            title={texts.t(label)}
            aria-current={query.view === view ? "true" : undefined}
          >
            <Icon name={icon} />
          </Ask>
        ))}
      </nav>
    </div>
  );
}
