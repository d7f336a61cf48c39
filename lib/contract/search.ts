/** Tasks and the audit log of all hosts: each linked host is asked when it is looked at, and what is missing is named. */
import Type, { type Static } from "typebox";
import { AuditEntry, AuditFilter } from "./access.ts";
import { command } from "./command.ts";
import { Job } from "./jobs.ts";
import { HostName } from "./on_host.ts";
import { closed, oneOf, SentenceText, Timestamp } from "./schema.ts";

/** Milliseconds a linked host has to answer: the list comes without it then. */
export const SEARCH_MS = 1800;
/** Characters of the place where the page before ended. */
const LONGEST_CURSOR = 12 * 1024;

export const SearchedHost = Type.Object({
  host: Type.String({ description: "id of the host whose KVM Manager was asked" }),
  label: Type.String(),
  reason: Type.Union([SentenceText(), Type.Null()], {
    description: "why nothing of it is here; null where it has answered",
  }),
  heardAt: Type.Union([Timestamp, Type.Null()], { description: "when it told something last; null: never" }),
  clockAheadMs: Type.Optional(
    Type.Integer({
      description: "milliseconds that its clock is ahead of this host's, by which it was converted",
    }),
  ),
});
export type SearchedHost = Static<typeof SearchedHost>;

/** An entry of the audit log of some host. */
export const FoundAuditEntry = Type.Object({
  ...AuditEntry.properties,
  log: Type.String({
    description: "id of the host whose KVM Manager has it in its log: `id` is the number there",
  }),
});
export type FoundAuditEntry = Static<typeof FoundAuditEntry>;

const PAGE = {
  host: Type.Optional({ ...HostName, description: "what was done on this host; on all where left out" }),
  cursor: Type.Optional(
    Type.String({
      maxLength: LONGEST_CURSOR,
      pattern: "^[A-Za-z0-9_-]*$",
      description: "`next` of the page before",
    }),
  ),
};
const FOUND = {
  hosts: Type.Array(SearchedHost, { description: "that were asked, this one first" }),
  next: Type.Union([Type.String(), Type.Null()], {
    description: "`cursor` of the page that follows; null where there is none",
  }),
};
const SPANS = { readOnly: true, withoutLibvirt: true, spansHosts: true } as const;

export const TASK_STATES = ["open", "done", "failed", "cancelled", "interrupted"] as const;

export const searchCommands = {
  search_audit: command({
    ...SPANS,
    role: "administrator",
    permission: "audit.administer",
    summary: "Search the audit logs of all hosts, newest first",
    description:
      "Each linked host is asked when this is called, and has two seconds. Times are by this host's clock: entries of a host " +
      "whose clock differs are put where they belong.",
    input: closed({
      ...AuditFilter,
      ...PAGE,
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })),
    }),
    output: Type.Object({ entries: Type.Array(FoundAuditEntry), ...FOUND }),
    errors: ["HostNotFound"],
    route: "GET /audit",
    cli: ["audit"],
    examples: [
      "kvm-manager audit --since 24h --result error",
      "kvm-manager audit --actor ann -o json",
      "kvm-manager audit --host kvm2 --text backup",
    ],
    rows: "entries",
    columns: ["timestamp", "log", "actor", "door", "address", "action", "vmName", "result", "message"],
    wide: ["host", "tookMs", "input", "id"],
  }),
  search_jobs: command({
    ...SPANS,
    role: "viewer",
    permission: "signed-in",
    summary: "Search the tasks of all hosts, newest first",
    description:
      "Each linked host is asked when this is called, and has two seconds. Times are by this host's clock.",
    input: closed({
      text: Type.Optional(
        Type.String({ maxLength: 128, description: "anywhere in title, command, or who asked" }),
      ),
      state: Type.Optional(oneOf(TASK_STATES, { description: "open: what waits or runs" })),
      ...PAGE,
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })),
    }),
    output: Type.Object({ jobs: Type.Array(Job), ...FOUND }),
    errors: ["HostNotFound"],
    route: "GET /job-search",
    cli: ["job", "search"],
    examples: ["kvm-manager job search --text backup --state failed"],
    hides: "other-jobs-found",
    rows: "jobs",
    columns: ["id", "host", "state", "title", "startedAt", "endedAt"],
    wide: ["actor", "command", "error"],
  }),
};
