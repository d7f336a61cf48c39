import type { AuditEntry, Input } from "../../lib/contract/mod.ts";
import { oneLine } from "../../lib/text/text.ts";
import { activityText, knownActions } from "../../lib/vm/activity.ts";
import { access } from "../../lib/i18n/en/access.ts";
import { type PlainKeyOf, textsOf } from "../../lib/i18n/mod.ts";
import type { FieldChoice } from "../kit/Field.tsx";
import { Icon } from "../kit/Icon.tsx";

const { t } = textsOf(access);

/** The page of the audit log. */
export const AUDIT_PAGE = "/settings/audit";

/** How something went → the word for it. */
export const RESULTS: Readonly<Record<AuditEntry["result"], PlainKeyOf<typeof access>>> = {
  ok: "access.audit_ok",
  error: "access.audit_error",
  event: "access.audit_event",
};

/** Filters of a search, each with the text of its chip. */
const FILTERS = {
  text: "access.audit_text",
  actor: "access.audit_who",
  action: "access.audit_what",
  result: "access.audit_result",
  since: "access.audit_since",
  until: "access.audit_until",
  host: "access.audit_host",
} as const satisfies Partial<Record<keyof Input<"search_audit">, PlainKeyOf<typeof access>>>;
type Filter = keyof typeof FILTERS;
const FILTER_NAMES = Object.keys(FILTERS) as Filter[];

/** The address of the same search without one of its filters, at its newest entries. */
function withoutFilter(url: URL, filter: Filter): string {
  const query = new URLSearchParams(url.search);
  for (const name of [filter, "cursor"]) query.delete(name);
  return query.size === 0 ? AUDIT_PAGE : `${AUDIT_PAGE}?${query}`;
}

/** Value of a filter as a text. */
function filterValue(filter: Filter, query: URLSearchParams, { result }: Input<"search_audit">): string {
  const text = oneLine(query.get(filter)?.trim() ?? "", 64);
  if (filter === "result") return result === undefined ? text : t(RESULTS[result]);
  return filter === "action" ? activityText({ action: text }) : text;
}

/** Commands and events to search for, with their texts; also the searched one, if it has no text. */
export function actionChoices(wanted: string | undefined): FieldChoice[] {
  const known = knownActions(), times = new Map<string, number>();
  for (const { text } of known) times.set(text, (times.get(text) ?? 0) + 1);
  return [
    { value: "", label: t("access.audit_any") },
    ...known.map(({ action, text }) => ({
      value: action,
      // Some share their word: a change of an alert, and of a schedule
      label: times.get(text) === 1 ? text : t("access.audit_action", { text, action }),
    })),
    ...wanted === undefined || known.some(({ action }) => action === wanted)
      ? []
      : [{ value: wanted, label: activityText({ action: wanted }) }],
  ];
}

/** The filters of a search, each with a link that takes it away. */
export function AuditFilters({ url, search }: { url: URL; search: Input<"search_audit"> }) {
  const held = FILTER_NAMES.filter((filter) => search[filter] !== undefined);
  if (held.length === 0) return null;
  return (
    <ul class="chips filter-chips" aria-label={t("access.audit_filters")}>
      {held.map((filter) => {
        const words = { filter: t(FILTERS[filter]), value: filterValue(filter, url.searchParams, search) };
        return (
          <li key={filter}>
            <a
              class="chip"
              href={withoutFilter(url, filter)}
              aria-label={t("access.audit_filter_remove", words)}
            >
              <span class="ellipsis">{t("access.audit_filter", words)}</span> <Icon name="close" />
            </a>
          </li>
        );
      })}
      {held.length > 1 && (
        <li>
          <a class="chip" href={AUDIT_PAGE}>{t("access.audit_filters_clear")}</a>
        </li>
      )}
    </ul>
  );
}
