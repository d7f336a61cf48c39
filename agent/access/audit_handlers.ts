/** The commands on how long the audit log is kept. */
import type { auditCommands } from "../../lib/contract/mod.ts";
import type { Handlers } from "../dispatch.ts";
import type { AuditRetentionPolicy } from "../store/audit_retention.ts";

/** A handler for each of them. */
export function auditHandlers(retention: AuditRetentionPolicy): Pick<Handlers, keyof typeof auditCommands> {
  return {
    get_audit_retention: () => retention.show(),
    update_audit_retention: (change) => {
      retention.set(change);
      return retention.show();
    },
  };
}
