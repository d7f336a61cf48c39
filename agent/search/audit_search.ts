/** The audit logs of all hosts, as one. */
import type { AuditEntry, FoundAuditEntry } from "../../lib/contract/mod.ts";
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import type { Unrendered } from "../../lib/i18n/message.ts";
import type { ListedRow, ListPlace } from "../../lib/search/merged.ts";
import { oneLine, severalLines } from "../../lib/text/text.ts";
import type { Handlers } from "../dispatch.ts";
import type { ActivityLog } from "../store/activity.ts";
import { partOf, searchHosts, type SearchServices } from "./hosts_asked.ts";

/** Characters of a name, and of a text, of an entry that another host has in its log. */
const LONGEST_NAME = 256, LONGEST_TEXT = 8192;

type Found = Unrendered<FoundAuditEntry>;

const listed = (row: Found): ListedRow<Found> => ({
  row,
  at: row.timestamp,
  place: { number: row.id, text: "" },
});

const before = (place: ListPlace | undefined) => place === undefined ? {} : { before: place.number };

/** An entry of another host's log: its host as it is called here, behind that the one that it has under a name of its own. */
function foreignEntry(entry: AuditEntry, log: string): Found {
  const name = (text: string) => oneLine(text, LONGEST_NAME);
  const named = (text: string | null) => text === null ? null : name(text);
  const text = (value: string | null) => value === null ? null : severalLines(value.slice(0, LONGEST_TEXT));
  const { id, timestamp, tookMs, result } = entry;
  return {
    id,
    timestamp,
    tookMs,
    result,
    log,
    actor: name(entry.actor),
    door: name(entry.door),
    action: name(entry.action),
    address: named(entry.address),
    vmId: named(entry.vmId),
    vmName: named(entry.vmName),
    client: named(entry.client ?? null),
    message: text(entry.message),
    input: text(entry.input),
    host: entry.host === null ? log : name(`${log}/${entry.host}`),
  };
}

/** The handler. */
export function auditSearch(
  app: SearchServices & { readonly activity: Pick<ActivityLog, "search"> },
): Pick<Handlers, "search_audit"> {
  return {
    search_audit: async ({ host, cursor, limit = 100, ...filter }, context) => {
      const { rows, ...found } = await searchHosts<Found>(
        app,
        { limit, ...(host !== undefined && { host }), ...(cursor !== undefined && { cursor }) },
        context,
        {
          own: (place, on) => {
            const entries = app.activity.search({ ...filter, ...before(place), limit }, on);
            return partOf(entries.map((entry) => listed({ ...entry, log: LOCAL_HOST })), limit);
          },
          far: async (ask, { id }, place) => {
            const entries = await ask("get_audit_log", { ...filter, ...before(place), limit });
            return partOf(entries.map((entry) => listed(foreignEntry(entry, id))), limit);
          },
        },
      );
      return { entries: [...rows], ...found };
    },
  };
}
