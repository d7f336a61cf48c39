/** How long the audit log is kept. What is in it, and the search, are in access.ts. */
import Type, { type Static } from "typebox";
import { command } from "./command.ts";
import { closed, NOTHING_IN, Timestamp } from "./schema.ts";

/** Days for which no entry is removed because there are too many. */
export const MIN_AUDIT_DAYS = 30;

const Limits = {
  days: Type.Integer({ minimum: 1, maximum: 36_500, description: "older entries are removed" }),
  entries: Type.Integer({
    minimum: 1000,
    maximum: 100_000_000,
    description:
      `the newest that are kept; those younger than ${MIN_AUDIT_DAYS} days are, however many they are`,
  }),
};

export const AuditRetention = Type.Object({
  ...Limits,
  stored: Type.Union([Type.Integer(), Type.Null()], {
    description: "entries there are; null while the database cannot tell",
  }),
  oldest: Type.Union([Timestamp, Type.Null()]),
  held: Type.Optional(Type.String({ description: "why nothing is removed at the moment" })),
});
export type AuditRetention = Static<typeof AuditRetention>;

const ADMINISTER = { role: "administrator", withoutLibvirt: true } as const;

export const auditCommands = {
  get_audit_retention: command({
    ...ADMINISTER,
    summary: "Show how long the audit log is kept",
    input: NOTHING_IN,
    output: AuditRetention,
    errors: ["StoreUnavailable"],
    route: "GET /audit/retention",
    cli: ["audit-retention", "show"],
    readOnly: true,
  }),
  update_audit_retention: command({
    ...ADMINISTER,
    summary: "Set how long the audit log is kept",
    description: "What is over the limits is removed within the hour; the log has an entry of it.",
    input: closed({ days: Type.Optional(Limits.days), entries: Type.Optional(Limits.entries) }),
    output: AuditRetention,
    errors: ["StoreUnavailable"],
    route: "PUT /audit/retention",
    cli: ["audit-retention", "set"],
    readOnly: false,
  }),
};
