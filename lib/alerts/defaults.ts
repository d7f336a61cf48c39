const COVERAGE: readonly Default[] = [
  {
    id: "schedule-failed",
    severity: "warning",
    watches: "schedule_failed",
    checks: 1,
  },
  {
    id: "coverage-lost",
    severity: "warning",
    watches: "coverage_lost",
    checks: 1,
  },
];

/** The alerts of a new installation: people change and delete them as their own. */
import type { AlertRule } from "../contract/alerts.ts";
import { DEFAULT_ALERT_NAMES } from "./default_names.ts";

type Default = Omit<AlertRule, "id" | "name" | "createdAt" | "scope" | "enabled" | "comparison"> & {
  readonly id: keyof typeof DEFAULT_ALERT_NAMES;
  readonly comparison?: "below";
};

/** By their ids. Their rows are part of a released step of the tables: new ones go into a new step. */
const FIRST: readonly Default[] = [
  {
    id: "host-unreachable",
    severity: "critical",
    watches: "host_connection_lost",
    checks: 2,
  },
  { id: "vm-crashed", severity: "critical", watches: "vm_crashed", checks: 1 },
  {
    id: "disk-errors",
    severity: "critical",
    watches: "vm_disk_error",
    checks: 1,
  },
  {
    id: "pool-nearly-full",
    severity: "warning",
    watches: "host_metric",
    series: "pool_usage",
    threshold: 90,
    clearThreshold: 85,
    checks: 4,
  },
  {
    id: "host-memory",
    severity: "warning",
    watches: "host_metric",
    series: "memory_usage",
    threshold: 92,
    clearThreshold: 88,
    checks: 10,
  },
  {
    id: "host-cpu",
    severity: "warning",
    watches: "host_metric",
    series: "cpu_usage",
    threshold: 95,
    clearThreshold: 85,
    checks: 20,
  },
  {
    id: "vm-cpu",
    severity: "info",
    watches: "vm_metric",
    series: "cpu_usage",
    threshold: 95,
    clearThreshold: 80,
    checks: 60,
  },
  {
    id: "certificate-ends",
    severity: "warning",
    watches: "certificate_ends",
    comparison: "below",
    threshold: 14,
    checks: 1,
  },
  {
    id: "agent-silent",
    severity: "warning",
    watches: "guest_agent_silent",
    checks: 10,
  },
];

const BACKUPS: readonly Default[] = [
  { id: "backup-failed", severity: "warning", watches: "backup_failed", checks: 1 },
  {
    id: "backup-old",
    severity: "warning",
    watches: "backup_old",
    threshold: 8, // a weekly one, and a day for its run
    checks: 1,
  },
];

const GUESTS: readonly Default[] = [
  {
    id: "filesystem-nearly-full",
    severity: "warning",
    watches: "vm_metric",
    series: "filesystem_usage",
    threshold: 90,
    clearThreshold: 85,
    checks: 2,
  },
];

const BACKUP_TESTS: readonly Default[] = [
  {
    id: "backup-test-failed",
    severity: "critical",
    watches: "backup_test_failed",
    checks: 1,
  },
];

const HANGS: readonly Default[] = [
  {
    id: "not-responding",
    severity: "critical",
    watches: "not_responding",
    checks: 1,
  },
];

const REPLICATION: readonly Default[] = [
  { id: "replica-late", severity: "warning", watches: "replica_late", checks: 1 },
];

/** The alerts of a new installation, as they came one after the other. */
export const DEFAULT_ALERTS = {
  first: FIRST,
  backups: BACKUPS,
  guests: GUESTS,
  backupTests: BACKUP_TESTS,
  hangs: HANGS,
  coverage: COVERAGE,
  replication: REPLICATION,
};

/** Alerts as they are kept. @param createdAt milliseconds since 1970 */
export function defaultAlertRules(of: keyof typeof DEFAULT_ALERTS, createdAt: number): AlertRule[] {
  return DEFAULT_ALERTS[of].map((row) => ({
    comparison: "above",
    name: DEFAULT_ALERT_NAMES[row.id],
    ...row,
    scope: "everything",
    enabled: true,
    createdAt,
  }));
}
