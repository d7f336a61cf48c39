import { page } from "fresh";
import { ScrollTable } from "../../components/access/ScrollTable.tsx";
import { SettingsPage } from "../../components/access/SettingsPage.tsx";
import { SelectField, TextField } from "../../components/Field.tsx";
import { Panel } from "../../components/Panel.tsx";
import type { AuditEntry, Input } from "../../lib/contract/mod.ts";
import { csvField, dayIn } from "../../lib/format/access_forms.ts";
import { oneLine } from "../../lib/format/text.ts";
import { formatMoment } from "../../lib/format/time.ts";
import { access } from "../../lib/i18n/en/access.ts";
import { number, type PlainKeyOf, textsOf } from "../../lib/i18n/mod.ts";
import { define, type PageState } from "../../lib/page_state.ts";
import { type Failure, failureOf } from "../../lib/format/failure.ts";
import { trimmedIn } from "../../lib/format/form_fields.ts";
import { fail } from "../(_shared)/fail.ts";

const { t } = textsOf(access);
const AT = "/settings/audit";
/** Entries of a page, and of an export. */
const PAGE = 100, EXPORT = 1000;
/** Exports are read in so many goes at most: a hundred thousand entries. */
const MOST_GOES = 100;

const RESULTS: Readonly<Record<AuditEntry["result"], PlainKeyOf<typeof access>>> = {
  ok: "access.audit_ok",
  error: "access.audit_error",
  event: "access.audit_event",
};

/** What is searched for, from the address. */
function wanted(query: URLSearchParams): Input<"get_audit_log"> {
  const text = (name: string) => query.get(name)?.trim().slice(0, 64) || undefined;
  const result = (["ok", "error", "event"] as const).find((each) => each === query.get("result"));
  const before = Number(query.get("before"));
  const since = dayIn(query.get("since")), until = dayIn(query.get("until"));
  const [actor, action, about] = [text("actor"), text("action"), text("text")];
  return {
    ...(actor !== undefined && { actor }),
    ...(action !== undefined && { action }),
    ...(about !== undefined && { text: about }),
    ...(result !== undefined && { result }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
    ...(Number.isSafeInteger(before) && before > 0 && { before }),
  };
}

const COLUMNS = [
  ...["id", "timestamp", "actor", "door", "address", "action", "vmId", "vmName"],
  ...["result", "message", "input", "tookMs"],
] as (keyof AuditEntry)[];

const FORMATS = {
  csv: {
    type: "text/csv; charset=utf-8",
    head: `${COLUMNS.join(",")}\r\n`,
    line: (entry: AuditEntry) =>
      COLUMNS.map((column) =>
        csvField(column === "timestamp" ? new Date(entry.timestamp).toISOString() : entry[column])
      ).join(",") + "\r\n",
  },
  // One entry a line: what log tools read.
  json: {
    type: "application/x-ndjson",
    head: "",
    line: (entry: AuditEntry) => `${JSON.stringify(entry)}\n`,
  },
} as const;

export const handler = define.handlers({
  async POST({ req, state, redirect }) {
    const form = await req.formData();
    const numberIn = (name: string) => Number(trimmedIn(form, name));
    try {
      await state.api.updateAuditRetention({ days: numberIn("days"), entries: numberIn("entries") });
    } catch (error) {
      const failure = failureOf(error);
      return page(await shown(state, {}, failure), { status: failure.status });
    }
    return redirect(`${AT}?done=saved`, 303);
  },
  async GET({ state, url }) {
    const { searchParams: query } = url;
    const search = wanted(query);
    const format = query.get("format");
    if (format !== "csv" && format !== "json") {
      return page(await shown(state, search));
    }
    const { type, head, line } = FORMATS[format];
    let text = head;
    for (let go = 0, before = search.before; go < MOST_GOES; go++) {
      const part = await state.api.getAuditLog({
        ...search,
        limit: EXPORT,
        ...(before !== undefined && { before }),
      }).catch(fail);
      text += part.map(line).join("");
      before = part.at(-1)?.id;
      if (part.length < EXPORT) break;
    }
    return new Response(text, {
      headers: {
        "content-type": type,
        "content-disposition": `attachment; filename="audit.${format === "csv" ? "csv" : "ndjson"}"`,
        "cache-control": "no-store",
      },
    });
  },
});

async function shown({ api }: PageState, search: Input<"get_audit_log">, failure: Failure | null = null) {
  const [entries, retention] = await Promise.all([
    api.getAuditLog({ ...search, limit: PAGE }).catch(fail),
    api.getAuditRetention().catch(fail),
  ]);
  return { search, entries, retention, failure };
}

/** The address of the same search, with something else. */
function withQuery(url: URL, more: Record<string, string>): string {
  const query = new URLSearchParams(url.search);
  for (const [name, value] of Object.entries(more)) query.set(name, value);
  return `${AT}?${query}`;
}

/** Who did what, when, from where, on what, and how it went. */
export default define.page<typeof handler>(
  function Audit({ data: { entries, search, retention, failure }, state, url }) {
    const query = url.searchParams;
    const last = entries.at(-1);
    return (
      <SettingsPage at={AT} user={state.user} url={url} failure={failure}>
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
              <TextField
                label={t("access.audit_what")}
                name="action"
                maxLength={64}
                defaultValue={search.action ?? ""}
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
                name="since"
                type="date"
                defaultValue={query.get("since") ?? ""}
              />
              <TextField
                label={t("access.audit_until")}
                name="until"
                type="date"
                defaultValue={query.get("until") ?? ""}
              />
            </div>
            <div class="form-actions">
              <button type="submit" class="button primary">{t("access.audit_search")}</button>
              <a class="button" href={withQuery(url, { format: "csv" })}>{t("access.audit_csv")}</a>
              <a class="button" href={withQuery(url, { format: "json" })}>{t("access.audit_json")}</a>
            </div>
          </form>
        </Panel>
        <Panel title={t("access.audit_entries")}>
          {entries.length === 0
            ? <p>{t("access.audit_none")}</p>
            : (
              <ScrollTable of={t("access.audit_entries")}>
                <thead>
                  <tr>
                    <th scope="col">{t("access.audit_when")}</th>
                    <th scope="col">{t("access.audit_who")}</th>
                    <th scope="col">{t("access.audit_door")}</th>
                    <th scope="col">{t("access.audit_what")}</th>
                    <th scope="col">{t("access.audit_on")}</th>
                    <th scope="col">{t("access.audit_result")}</th>
                    <th scope="col">{t("access.audit_input")}</th>
                  </tr>
                </thead>
                <tbody>
                  {entries.map((entry) => (
                    <tr key={entry.id}>
                      <td>
                        <time dateTime={new Date(entry.timestamp).toISOString()}>
                          {formatMoment(entry.timestamp)}
                        </time>
                      </td>
                      <td>{oneLine(entry.actor, 40)}</td>
                      <td>
                        {entry.door} {entry.address !== null && <small class="muted">{entry.address}</small>}
                      </td>
                      <td>{oneLine(entry.action, 60)}</td>
                      <td>
                        <bdi>{oneLine(entry.vmName ?? "", 40)}</bdi>
                      </td>
                      <td title={entry.message ?? undefined}>
                        {t(RESULTS[entry.result])}
                        {entry.message !== null && <small class="muted">{oneLine(entry.message, 60)}</small>}
                      </td>
                      <td title={entry.input ?? undefined}>
                        <code>{oneLine(entry.input ?? "", 60)}</code>
                      </td>
                    </tr>
                  ))}
                </tbody>
              </ScrollTable>
            )}
          {entries.length === PAGE && last && (
            <div class="form-actions">
              <a class="button" href={withQuery(url, { before: String(last.id) })}>
                {t("access.audit_older")}
              </a>
            </div>
          )}
        </Panel>
        <Panel title={t("access.retention")}>
          <p>
            {retention.held ?? t("access.retention_what", {
              n: retention.stored === null ? "–" : number(retention.stored),
              since: retention.oldest === null ? "–" : formatMoment(retention.oldest),
            })}
          </p>
          <form method="post">
            <div class="form-grid">
              <TextField
                label={t("access.retention_days")}
                name="days"
                type="number"
                min={1}
                max={36_500}
                required
                defaultValue={retention.days}
              />
              <TextField
                label={t("access.retention_entries")}
                name="entries"
                type="number"
                min={1000}
                max={100_000_000}
                required
                defaultValue={retention.entries}
              />
            </div>
            <div class="form-actions">
              <button type="submit" class="button">{t("access.save")}</button>
            </div>
          </form>
        </Panel>
      </SettingsPage>
    );
  },
);
