/** Alerts and silences on VMs and groups: what they hold for. */
import type { AlertRule } from "../../lib/contract/mod.ts";
import { isOver } from "../../lib/alerts/silence.ts";
import type { Cover, CoverTargets } from "../../lib/coverage/coverage.ts";
import type { AlertEngine } from "./engine.ts";
import type { AlertRecords } from "./records.ts";

/** VMs that an alert or a silence is on, by id or group; nothing of one on everything or a host. */
export const targetsOn = (
  { scope, vmId, group }: Pick<AlertRule, "scope" | "vmId" | "group">,
): CoverTargets => ({
  vmIds: scope === "vm" && vmId !== undefined ? [vmId] : [],
  tags: [],
  groups: scope === "group" && group !== undefined ? [group] : [],
});

/** Those that hold for VMs. @param now milliseconds since 1970 */
export function coversOf({ rules, silences }: AlertRecords, now: number): Cover[] {
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
  return [...alerts, ...quiet].filter(({ targets: { vmIds, groups } }) => vmIds.length + groups.length > 0);
}

/** Another VM has the id: alerts on the one before are switched off, silences end. @returns their names */
export function releaseVm(records: AlertRecords, engine: AlertEngine, vmId: string): string[] {
  const rules = records.rules.all.filter((rule) => rule.enabled && rule.vmId === vmId);
  for (const rule of rules) {
    records.put(records.rules, { ...rule, enabled: false });
    engine.forget(rule.id);
  }
  const silences = records.silences.all.filter((silence) => silence.vmId === vmId);
  for (const { id } of silences) records.delete(records.silences, id);
  return [
    ...rules.map(({ name }) => `the alert ${name}`),
    ...silences.map(({ by }) => `a silence of ${by}`),
  ];
}
