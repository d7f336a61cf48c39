/** Alerts and silences on VMs, groups and storage pools: what they hold for. */
import { type AlertRule, HOST_ALERT_SERIES, type MetricSeries, type VM } from "../../lib/contract/mod.ts";
import { isOver } from "../../lib/alerts/silence.ts";
import { type Cover, coverName, type CoverTargets } from "../../lib/coverage/coverage.ts";
import type { Portable } from "../feature_part.ts";
import type { AlertEngine } from "./engine.ts";
import type { AlertRecords } from "./records.ts";

/** Figures of hosts that alerts watch. */
const OF_HOSTS: Readonly<Record<string, MetricSeries>> = HOST_ALERT_SERIES;

/** The storage pool whose figure an alert watches. */
const poolOf = ({ watches, series, label }: Partial<Pick<AlertRule, "watches" | "series" | "label">>) =>
  watches === "host_metric" && series !== undefined && OF_HOSTS[series]?.of === "pool" ? label : undefined;

/**
 * VMs that an alert or a silence is on, by id or group, and the storage pool that an alert watches; nothing of one on
 * everything or a host.
 */
export const targetsOn = (
  { scope, vmId, group, ...rest }:
    & Pick<AlertRule, "scope" | "vmId" | "group">
    & Partial<Pick<AlertRule, "watches" | "series" | "label">>,
): CoverTargets => ({
  vmIds: scope === "vm" && vmId !== undefined ? [vmId] : [],
  tags: [],
  groups: scope === "group" && group !== undefined ? [group] : [],
  pools: [poolOf(rest)].filter((pool) => pool !== undefined),
});

/** Those that hold for VMs or a storage pool. @param now milliseconds since 1970 */
export function alertCoversOf({ rules, silences }: AlertRecords, now: number): Cover[] {
  const alerts = rules.all.filter(({ enabled }) => enabled).map((rule): Cover => ({
    kind: "alert",
    name: rule.name,
    targets: targetsOn(rule),
  }));
  const quiet = silences.all.filter((silence) => !isOver(silence, now)).map((silence): Cover => ({
    kind: "silence",
    name: silence.reason ?? `of ${silence.by}`,
    targets: targetsOn(silence),
  }));
  return [...alerts, ...quiet].filter(({ targets: { vmIds, groups, pools = [] } }) =>
    vmIds.length + groups.length + pools.length > 0
  );
}

/** Switches these alerts off and ends these silences. @returns their names */
function release(
  records: AlertRecords,
  engine: AlertEngine,
  isMeant: (on: Pick<AlertRule, "vmId" | "hostId">) => boolean,
): string[] {
  const rules = records.rules.all.filter((rule) => rule.enabled && isMeant(rule));
  for (const rule of rules) {
    records.put(records.rules, { ...rule, enabled: false });
    engine.forget(rule.id);
  }
  const silences = records.silences.all.filter(isMeant);
  for (const { id } of silences) records.delete(records.silences, id);
  return [
    ...rules.map(({ name }) => `the alert ${name}`),
    ...silences.map(({ by }) => `a silence of ${by}`),
  ];
}

/** Another VM has the id: alerts on the one before are switched off, silences end. @returns their names */
export const releaseVmAlerts = (records: AlertRecords, engine: AlertEngine, vmId: string): string[] =>
  release(records, engine, (on) => on.vmId === vmId);

/** Alerts on a VM that moves to another host, which go along: not whom they tell. */
export const portableAlerts = (records: AlertRecords, engine: AlertEngine, { id: vmId }: VM): Portable[] =>
  records.rules.all.filter((rule) => rule.scope === "vm" && rule.vmId === vmId).map((rule) => {
    const { id, createdAt: _createdAt, hostId: _hostId, group: _group, ...settings } = rule;
    return {
      name: coverName({ kind: "alert", name: rule.name, targets: targetsOn(rule) }),
      needs: "update_alert",
      put: (there) => there.createAlert({ ...settings, vmId }),
      release: () => {
        records.delete(records.rules, id);
        engine.forget(id);
      },
    };
  });

/** A host was removed: what fires on it is over, alerts on it are switched off, silences end. */
export function releaseHostAlerts(records: AlertRecords, engine: AlertEngine, host: string): void {
  engine.forgetHost(host);
  release(records, engine, ({ hostId }) => hostId === host);
}
