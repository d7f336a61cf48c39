/** Incidents of the demo's last month, the targets of messages, and a silence. */
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../../lib/duration.ts";
import { incidentMessage } from "../../../lib/alerts/words.ts";
import { AlertRecords, type AlertTargetRecord, type KeptIncident } from "../../alerts/records.ts";
import { hostZone } from "../../clock.ts";
import { daysAgo, idFor, type Seeding, vmNamed } from "./moment.ts";

interface Row {
  readonly alert: string;
  /** Name of the VM; else the id of the host. */
  readonly vm?: string;
  readonly host?: string;
  readonly label?: string;
  readonly value: number;
  readonly daysAgo: number;
  readonly hour: number;
  /** How long it fired; missing: it still does. */
  readonly minutes?: number;
  readonly acknowledgedBy?: string;
}

const ROWS: readonly Row[] = [
  { alert: "vm-cpu", vm: "ci-runner-01", value: 97.4, daysAgo: 26, hour: 14, minutes: 74 },
  { alert: "vm-cpu", vm: "ci-runner-02", value: 96.1, daysAgo: 22, hour: 11, minutes: 41 },
  {
    alert: "vm-crashed",
    vm: "win-build",
    value: NaN,
    daysAgo: 19,
    hour: 16,
    minutes: 12,
    acknowledgedBy: "ben",
  },
  { alert: "vm-cpu", vm: "ci-runner-01", value: 98.8, daysAgo: 14, hour: 15, minutes: 133 },
  { alert: "agent-silent", vm: "muc-print", value: NaN, daysAgo: 12, hour: 9, minutes: 26 },
  {
    alert: "host-unreachable",
    host: "branch-muc",
    value: NaN,
    daysAgo: 8,
    hour: 3,
    minutes: 17,
    acknowledgedBy: "anna",
  },
  { alert: "vm-cpu", vm: "db-01", value: 95.3, daysAgo: 5, hour: 12, minutes: 22 },
  { alert: "vm-cpu", vm: "ci-runner-01", value: 99.1, daysAgo: 1, hour: 10, minutes: 58 },
  {
    alert: "pool-nearly-full",
    host: "kvm-02",
    label: "archive",
    value: 90.1,
    daysAgo: 3,
    hour: 4,
    acknowledgedBy: "anna",
  },
  { alert: "filesystem-nearly-full", vm: "muc-files", label: "/srv", value: 90.3, daysAgo: 2, hour: 13 },
];

/** Targets of messages. They are switched off, and nothing would leave the demo if they were not. */
const TARGETS: readonly Omit<AlertTargetRecord, "id" | "enabled">[] = [
  {
    name: "Operations, by mail",
    channel: "email",
    minSeverity: "warning",
    privateAddresses: true,
    smtpHost: "mail.example.com",
    mailFrom: "kvm@example.com",
    mailTo: ["operations@example.com"],
  },
  {
    name: "On call",
    channel: "ntfy",
    minSeverity: "critical",
    privateAddresses: false,
    url: "https://ntfy.example.com/kvm-alerts",
  },
];

function incidentOf(records: AlertRecords, row: Row, now: number): KeptIncident | undefined {
  const rule = records.rules.get(row.alert), vm = row.vm === undefined ? undefined : vmNamed(row.vm);
  if (rule === undefined) return undefined;
  const firedAt = daysAgo(now, row.daysAgo, row.hour, 7), { label = "", value, acknowledgedBy } = row;
  return {
    id: idFor("incident", `${row.alert} ${row.daysAgo} ${row.hour}`),
    alertId: rule.id,
    name: rule.name,
    severity: rule.severity,
    watches: rule.watches,
    state: row.minutes !== undefined ? "resolved" : acknowledgedBy === undefined ? "firing" : "acknowledged",
    host: vm?.host ?? row.host!,
    ...(vm !== undefined && { vmId: vm.id, vmName: vm.name }),
    ...(label !== "" && { label }),
    message: incidentMessage(rule, value, label),
    value: Number.isFinite(value) ? value : null,
    firedAt,
    ...(acknowledgedBy !== undefined && { acknowledgedAt: firedAt + 9 * MINUTE_MS, acknowledgedBy }),
    ...(row.minutes !== undefined && { endedAt: firedAt + row.minutes * MINUTE_MS, ended: "cleared" }),
    silenced: false,
  };
}

/** Writes them. Targets are switched off: the demo sends nothing. */
export function seedAlerts({ store, now }: Seeding): void {
  const records = new AlertRecords(store);
  records.attach(() => {});
  const incidents = ROWS.map((row) => incidentOf(records, row, now)).filter((each) => each !== undefined);
  records.commit((database) =>
    records.writeIncidents(database, incidents.map((incident) => ({ incident, told: true })))
  );
  for (const target of TARGETS) {
    records.put(records.targets, { id: idFor("alert target", target.name), ...target, enabled: false });
  }
  records.put(records.silences, {
    id: idFor("silence", "patches"),
    scope: "group",
    group: "Development",
    startsAt: daysAgo(now, 7, 3) + 7 * DAY_MS,
    endsAt: daysAgo(now, 7, 3) + 7 * DAY_MS + 2 * HOUR_MS,
    repeat: "weekly",
    timeZone: hostZone(),
    reason: "Runners are rebuilt and restarted",
    by: "ben",
  });
}
