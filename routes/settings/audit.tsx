import { page } from "fresh";
import { AuditDetails, doorText } from "../../components/access/AuditDetails.tsx";
import { actionChoices, AUDIT_PAGE, AuditFilters, RESULTS } from "../../components/access/AuditFilters.tsx";
import { type Column, DataTable } from "../../components/kit/DataTable.tsx";
import { SettingsPage } from "../../components/access/SettingsPage.tsx";
import { SelectField, TextField } from "../../components/kit/Field.tsx";
import { HostsAsked } from "../../components/search/HostsAsked.tsx";
import { HostSelect } from "../../components/search/HostSelect.tsx";
import { Panel } from "../../components/kit/Panel.tsx";
import { LINES_TYPE } from "../../lib/contract/lines.ts";
import type { FoundAuditEntry, Input } from "../../lib/contract/mod.ts";
import { dayIn } from "../../lib/access/forms.ts";
import { csvRow } from "../../lib/text/csv.ts";
import { oneLine } from "../../lib/text/text.ts";
import { formatMoment } from "../../lib/text/time.ts";
import { activityText } from "../../lib/vm/activity.ts";
import { access } from "../../lib/i18n/en/access.ts";
import { number, textsOf } from "../../lib/i18n/mod.ts";
import { MIN_AUDIT_DAYS } from "../../lib/contract/audit.ts";
import { define, type PageState } from "../../lib/page_state.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { refusalAt, typedAgain } from "../../lib/text/refused_form.ts";
import { fail } from "../(_shared)/fail.ts";
import { searchedIn } from "../(_shared)/searched.ts";

const { t } = textsOf(access);
/** Entries of a page, and of an export. */
const PAGE = 100, EXPORT = 1000;
/** Exports are read in so many goes at most: a hundred thousand entries. */
const MOST_GOES = 100;

/** Search of the log, in the address. */
function wanted(query: URLSearchParams): Input<"search_audit"> {
  const text = (name: string) => query.get(name)?.trim().slice(0, 64) || undefined;
  const result = (["ok", "error", "event"] as const).find((each) => each === query.get("result"));
  const since = dayIn(query.get("since")), until = dayIn(query.get("until"));
  const [actor, action] = [text("actor"), text("action")];
  return {
    ...searchedIn(query),
    ...(actor !== undefined && { actor }),
    ...(action !== undefined && { action }),
    ...(result !== undefined && { result }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
  };
}

const COLUMNS = [
  ...["id", "timestamp", "log", "host", "actor", "door", "address", "client", "action", "vmId", "vmName"],
  ...["result", "message", "input", "tookMs"],
] as (keyof FoundAuditEntry)[];

const FORMATS = {
  csv: {
    type: "text/csv; charset=utf-8",
    head: `${COLUMNS.join(",")}\r\n`,
    line: (entry: FoundAuditEntry) =>
      csvRow(
        COLUMNS.map((column) =>
          column === "timestamp" ? new Date(entry.timestamp).toISOString() : entry[column]
        ),
      ),
  },
  // One entry a line: what log tools read.
  json: {
    type: LINES_TYPE,
    head: "",
    line: (entry: FoundAuditEntry) => `${JSON.stringify(entry)}\n`,
  },
} as const;

export const handler = define.handlers({
  async GET({ state, url }) {
    const { searchParams: query } = url;
    const search = wanted(query);
    const format = query.get("format");
    if (format !== "csv" && format !== "json") {
      return page(await shown(state, search));
    }
    const { type, head, line } = FORMATS[format];
    let text = head;
    const missing = new Set<string>();
    for (let go = 0, cursor = search.cursor; go < MOST_GOES; go++) {
      const { entries, hosts, next } = await state.api.searchAudit({
        ...search,
        limit: EXPORT,
        ...(cursor !== undefined && { cursor }),
      }).catch(fail);
      text += entries.map(line).join("");
      for (const { host, reason } of hosts) if (reason !== null) missing.add(host);
      if (next === null) break;
      cursor = next;
    }
    return new Response(text, {
      headers: {
        "content-type": type,
        "content-disposition": `attachment; filename="audit.${format === "csv" ? "csv" : "ndjson"}"`,
        "cache-control": "no-store",
        ...(missing.size > 0 && { "x-missing-hosts": [...missing].join(", ") }),
      },
    });
  },
});

async function shown({ api }: PageState, search: Input<"search_audit">) {
  const [found, retention, hosts] = await Promise.all([
    api.searchAudit({ ...search, limit: PAGE }),
    api.getAuditRetention(),
    api.listHosts(),
  ]).catch(fail);
  return { search, found, retention, hosts, now: Date.now() };
}

/** The address of the same search from its newest entries, with something else. */
function withQuery(url: URL, more: Record<string, string>): string {
  const query = new URLSearchParams(url.search);
  query.delete("cursor");
  for (const [name, value] of Object.entries(more)) query.set(name, value);
  return `${AUDIT_PAGE}?${query}`;
}
type Shown = Awaited<ReturnType<typeof shown>>;

/** Filters of the log. */
function SearchPanel(
  { search, hosts, zone, url }: Pick<Shown, "search" | "hosts"> & { zone: string; url: URL },
) {
  const query = url.searchParams;
  return (
    <Panel title={t("access.audit_search")}>
      <form method="get">
        <div class="form-grid">
          <TextField
            label={t("access.audit_text")}
            name="text"
            maxLength={64}
            defaultValue={search.text ?? ""}
          />
          <TextField
            label={t("access.audit_who")}
            name="actor"
            maxLength={64}
            defaultValue={search.actor ?? ""}
          />
          <SelectField
            label={t("access.audit_what")}
            name="action"
            value={search.action ?? ""}
            choices={actionChoices(search.action)}
          />
          <SelectField
            label={t("access.audit_result")}
            name="result"
            value={search.result ?? ""}
            choices={[
              { value: "", label: t("access.audit_any") },
              ...Object.entries(RESULTS).map(([value, key]) => ({ value, label: t(key) })),
            ]}
          />
          <TextField
            label={t("access.audit_since")}
            hint={t("access.audit_zone", { zone: zone })}
            name="since"
            type="date"
            defaultValue={query.get("since") ?? ""}
          />
          <TextField
            label={t("access.audit_until")}
            hint={t("access.audit_zone", { zone: zone })}
            name="until"
            type="date"
            defaultValue={query.get("until") ?? ""}
          />
          <HostSelect hosts={hosts} value={search.host} />
        </div>
        <div class="form-actions">
          <button type="submit" class="button primary">{t("access.audit_search")}</button>
          <a class="button" href={withQuery(url, { format: "csv" })}>{t("access.audit_csv")}</a>
          <a class="button" href={withQuery(url, { format: "json" })}>{t("access.audit_json")}</a>
        </div>
      </form>
    </Panel>
  );
}

type Entry = Shown["found"]["entries"][number];

/** The columns of the log. @param labels of hosts, by their ids */
const columnsOf = (labels: ReadonlyMap<string, string>, hasHosts: boolean): (Column<Entry> | false)[] => [
  {
    title: t("access.audit_when"),
    cell: ({ timestamp }) => (
      <time dateTime={new Date(timestamp).toISOString()}>{formatMoment(timestamp)}</time>
    ),
  },
  hasHosts && {
    title: t("access.audit_host"),
    cell: ({ log, host }) => (
      <>
        <bdi>{oneLine(labels.get(log) ?? log, 40)}</bdi>
        {host !== null && host !== log && (
          <small>{t("access.audit_on_host", { host: oneLine(host, 64) })}</small>
        )}
      </>
    ),
  },
  { title: t("access.audit_who"), cell: ({ actor }) => oneLine(actor, 40) },
  {
    title: t("access.audit_door"),
    cell: ({ actor, door, address, client }) =>
      door !== actor && (
        <>
          {doorText(door)}
          {address !== null && <small>{address}</small>}
          {typeof client === "string" && <small>{oneLine(client, 40)}</small>}
        </>
      ),
  },
  {
    title: t("access.audit_what"),
    cell: activityText,
  },
  {
    title: t("access.audit_on"),
    cell: ({ vmName }) => vmName !== null && <bdi>{oneLine(vmName, 40)}</bdi>,
  },
  {
    title: t("access.audit_result"),
    cell: ({ result, message }) => (
      <>
        {t(RESULTS[result])}
        {message !== null && <small title={message}>{oneLine(message, 60)}</small>}
      </>
    ),
  },
];

/** Retention of the log: its present extent, and the setting. */
function RetentionPanel({ retention, refused }: Pick<Shown, "retention"> & Pick<PageState, "refused">) {
  const typed = typedAgain(refused, "update_audit_retention");
  return (
    <Panel title={t("access.retention")}>
      <p>
        {retention.held ?? t("access.retention_what", {
          n: retention.stored === null ? "–" : number(retention.stored),
          since: retention.oldest === null ? "–" : formatMoment(retention.oldest),
        })}
      </p>
      <form method="post" action={formHref("update_audit_retention", {}, AUDIT_PAGE)}>
        <div class="form-grid">
          <TextField
            label={t("access.retention_days")}
            name="days"
            type="number"
            min={1}
            max={36_500}
            required
            defaultValue={typed?.days ?? retention.days}
            error={refusalAt(refused, "update_audit_retention", "days")}
          />
          <TextField
            label={t("access.retention_entries")}
            hint={t("access.retention_young", { n: MIN_AUDIT_DAYS })}
            name="entries"
            type="number"
            min={1000}
            max={100_000_000}
            required
            defaultValue={typed?.entries ?? retention.entries}
            error={refusalAt(refused, "update_audit_retention", "entries")}
          />
        </div>
        <div class="form-actions">
          <button type="submit" class="button">{t("access.save")}</button>
        </div>
      </form>
    </Panel>
  );
}

/** Page of the audit log: user, command, time, address, object and result of each entry. */
export default define.page<typeof handler>(
  function Audit({ data: { found, search, retention, hosts, now }, state, url }) {
    const { entries, next } = found;
    const labels = new Map(found.hosts.map(({ host, label }) => [host, label]));
    return (
      <SettingsPage at={AUDIT_PAGE} user={state.user}>
        <SearchPanel search={search} hosts={hosts} zone={state.zone} url={url} />
        <AuditFilters url={url} search={search} />
        <HostsAsked hosts={found.hosts} now={now} />
        <Panel title={t("access.audit_entries")}>
          <DataTable
            label={t("access.audit_entries")}
            rows={entries}
            keyOf={({ log, id }) => `${log} ${id}`}
            empty={t("access.audit_none")}
            more={{
              label: (entry) =>
                t("access.audit_open", { time: formatMoment(entry.timestamp), action: activityText(entry) }),
              content: (entry) => <AuditDetails entry={entry} />,
            }}
            columns={columnsOf(labels, hosts.length > 1)}
          />
          {next !== null && (
            <div class="form-actions">
              <a class="button" rel="next" href={withQuery(url, { cursor: next })}>
                {t("access.audit_older")}
              </a>
            </div>
          )}
        </Panel>
        <RetentionPanel retention={retention} refused={state.refused} />
      </SettingsPage>
    );
  },
);
