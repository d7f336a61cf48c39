/** Validation of alerts and their scopes. Pure. */
import {
  type AlertKind,
  type AlertRule,
  type AlertScope,
  HOST_ALERT_SERIES,
  type MetricSeries,
  VM_ALERT_SERIES,
} from "../contract/mod.ts";
import { message, type Sentence } from "../i18n/message.ts";

/** Subject and required fields of a kind of alert. */
export interface AlertKindRow {
  /** Object that has an incident of its own; `any`: a VM, or an object of a host. */
  readonly about: "vm" | "host" | "program" | "any";
  /** Figures that it can watch; missing: it watches a state. */
  readonly series?: Readonly<Record<string, MetricSeries>>;
  /** Its threshold is a number of days: until something, or since. */
  readonly days?: "left" | "passed";
}

export const ALERT_KIND_ROWS: Readonly<Record<AlertKind, AlertKindRow>> = {
  vm_metric: { about: "vm", series: VM_ALERT_SERIES },
  host_metric: { about: "host", series: HOST_ALERT_SERIES },
  vm_crashed: { about: "vm" },
  vm_disk_error: { about: "vm" },
  guest_agent_silent: { about: "vm" },
  host_connection_lost: { about: "host" },
  not_responding: { about: "any" },
  certificate_ends: { about: "program", days: "left" },
  backup_failed: { about: "host" },
  backup_old: { about: "vm", days: "passed" },
  backup_test_failed: { about: "host" },
  schedule_failed: { about: "host" },
  coverage_lost: { about: "host" },
  replica_late: { about: "host" },
};

/** Field of each scope that says which one is meant. */
export const SCOPE_FIELDS = { host: "hostId", group: "group", vm: "vmId" } as const satisfies Partial<
  Record<AlertScope, keyof AlertRule>
>;

/** Why an alert cannot be; undefined when it can. */
export interface RuleRefusal {
  readonly field: string;
  readonly reason: Sentence;
}

/** A figure beyond which JSON's numbers are none. */
const isFigure = (value: number | undefined) => value === undefined || Number.isFinite(value);

/** Reason why an alert is refused as a whole; its fields fit the schema. */
export function ruleRefusal(rule: Omit<AlertRule, "id" | "createdAt">): RuleRefusal | undefined {
  const { watches, series, label, threshold, clearThreshold, comparison } = rule;
  const row = ALERT_KIND_ROWS[watches];
  if (!isFigure(threshold)) return { field: "threshold", reason: "must be a number" };
  if (!isFigure(clearThreshold)) return { field: "clearThreshold", reason: "must be a number" };
  if (row.series !== undefined) {
    if (series === undefined) return { field: "series", reason: "is needed: say which figure is watched" };
    const own = Object.hasOwn(row.series, series) ? row.series[series] : undefined;
    if (own === undefined) {
      return {
        field: "series",
        reason: message`must be a figure of ${row.about === "vm" ? "VMs" : "hosts"}`,
      };
    }
    if (label !== undefined && own.of === undefined) {
      return { field: "label", reason: "must be empty: there is only one such figure" };
    }
  } else if (series !== undefined) {
    return { field: "series", reason: "must be empty: this alert watches a state" };
  } else if (label !== undefined) {
    return { field: "label", reason: "must be empty: this alert watches a state" };
  }
  const hasThreshold = row.series !== undefined || row.days !== undefined;
  if (hasThreshold && threshold === undefined) return { field: "threshold", reason: "is needed" };
  if (!hasThreshold && threshold !== undefined) {
    return { field: "threshold", reason: "must be empty: this alert watches a state" };
  }
  if (clearThreshold !== undefined) {
    const isBack = comparison === "above" ? clearThreshold <= threshold! : clearThreshold >= threshold!;
    if (!hasThreshold) {
      return { field: "clearThreshold", reason: "must be empty: this alert watches a state" };
    }
    if (!isBack) {
      const side = comparison === "above" ? "above" : "below";
      return { field: "clearThreshold", reason: message`must not be ${side} the threshold` };
    }
  }
  return scopeRefusal(rule, row.about);
}

/** Reason why a scope is refused. @param about subject of the alert; without it, any */
export function scopeRefusal(
  of: Pick<AlertRule, "scope" | "hostId" | "group" | "vmId">,
  about?: AlertKindRow["about"],
): RuleRefusal | undefined {
  for (const [scope, field] of Object.entries(SCOPE_FIELDS)) {
    const isGiven = of[field] !== undefined;
    if (of.scope === scope && !isGiven) return { field, reason: message`is needed with the scope ${scope}` };
    if (of.scope !== scope && isGiven) return { field, reason: message`goes with the scope ${scope} only` };
  }
  if (about === "program" && of.scope !== "everything") {
    return { field: "scope", reason: "must be everything: this alert is about KVM Manager itself" };
  }
  if (about === "host" && (of.scope === "group" || of.scope === "vm")) {
    return { field: "scope", reason: "must be everything or host: this alert is about hosts" };
  }
  return undefined;
}

/** Object that an alert or a silence applies to. */
export interface AlertSubject {
  readonly host: string;
  readonly vmId?: string | undefined;
  readonly group?: string | undefined;
}

/** Whether a subject is in a scope. */
export function isInScope(
  of: Pick<AlertRule, "scope" | "hostId" | "group" | "vmId">,
  subject: AlertSubject,
): boolean {
  switch (of.scope) {
    case "everything":
      return true;
    case "host":
      return of.hostId === subject.host;
    case "group":
      return subject.group !== undefined && of.group === subject.group;
    case "vm":
      return of.vmId === subject.vmId;
  }
}
