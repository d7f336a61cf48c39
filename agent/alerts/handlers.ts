/** The commands on alerts. */
import {
  type Alert,
  type alertCommands,
  type AlertRule,
  ContractError,
  type Input,
  MOST_ALERTS,
  MOST_SILENCES,
  type VM,
} from "../../lib/contract/mod.ts";
import { seesAlert } from "../../lib/access/filter_output.ts";
import { may } from "../../lib/access/rights.ts";
import { type Refusal, ruleRefusal, scopeRefusal } from "../../lib/alerts/rule.ts";
import { firstWindow, isOver, silenceAt, type StoredSilence } from "../../lib/alerts/silence.ts";
import type { Principal } from "../access.ts";
import { type Clock, hostZone } from "../clock.ts";
import type { Handlers } from "../dispatch.ts";
import type { AlertEngine } from "./engine.ts";
import type { AlertRecords } from "./records.ts";

/** What the handlers work with. */
export interface AlertContext {
  readonly records: AlertRecords;
  readonly engine: AlertEngine;
  readonly clock: Clock;
  /** Looks a VM up. */
  readonly vm: (vmId: string) => VM | undefined;
}

/** An input that its field's schema takes, yet not as a whole. */
export const invalid = ({ field, reason }: Refusal) =>
  new ContractError("InvalidInput", { field, reason: `${field} ${reason}` });

/** Fields of an alert that say what it watches: when one changes, what it has fired says nothing any more. */
const WATCHING = [
  "series",
  "label",
  "comparison",
  "threshold",
  "clearThreshold",
  "scope",
  "hostId",
  "group",
  "vmId",
] as const satisfies readonly (keyof AlertRule)[];

/** A record without the fields that are not there. */
function present<T extends object>(record: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as never;
}

/** The alert after a change. A new scope does away with what said which one the old was on. */
function changed(rule: AlertRule, change: Omit<Input<"update_alert">, "alertId">): AlertRule {
  const { replace = false, ...fields } = change;
  const { hostId, group, vmId, label, clearThreshold, ...base } = rule;
  const isSameScope = fields.scope === undefined || fields.scope === rule.scope;
  return present({
    ...base,
    ...(isSameScope && { hostId, group, vmId }),
    ...(!replace && { label, clearThreshold }),
    ...fields,
  }) as AlertRule;
}

/** A handler for each of them. */
export function alertHandlers(
  { records, engine, clock, vm }: AlertContext,
): Pick<Handlers, keyof typeof alertCommands> {
  const viewerOf = ({ rights, name }: Principal) => ({
    rights,
    name,
    groupOf: (id: string) => vm(id)?.group,
  });
  const requireRule = (alertId: string): AlertRule => {
    const rule = records.require().rules.get(alertId);
    if (rule === undefined) throw new ContractError("AlertNotFound", { alertId });
    return rule;
  };
  const shown = (rule: AlertRule, counts = engine.counts()): Alert => {
    const vmName = rule.vmId === undefined ? undefined : vm(rule.vmId)?.name;
    const { pending, firing } = counts.get(rule.id) ?? { pending: 0, firing: 0 };
    return { ...rule, ...(vmName !== undefined && { vmName }), pending, firing };
  };
  const requireVm = (vmId: string | undefined) => {
    if (vmId !== undefined && vm(vmId) === undefined) throw new ContractError("VmNotFound", { vmId });
  };
  const checked = (rule: AlertRule): AlertRule => {
    const refusal = ruleRefusal(rule);
    if (refusal !== undefined) throw invalid(refusal);
    requireVm(rule.vmId);
    return rule;
  };
  return {
    list_alerts: () => {
      const counts = engine.counts();
      return [...records.require().rules.all].sort((a, b) => a.name < b.name ? -1 : 1)
        .map((rule) => shown(rule, counts));
    },
    get_alert: ({ alertId }, { principal }) => {
      const rule = requireRule(alertId);
      if (!seesAlert(viewerOf(principal), rule)) throw new ContractError("AlertNotFound", { alertId });
      return shown(rule);
    },
    create_alert: (input) => {
      if (records.require().rules.size >= MOST_ALERTS) {
        throw new ContractError("TooManyAlerts", { limit: MOST_ALERTS, what: "alerts" });
      }
      const rule = checked(present({
        id: crypto.randomUUID(),
        ...{ severity: "warning", checks: 3, scope: "everything", enabled: true } as const,
        comparison: input.watches === "certificate_ends" ? "below" : "above",
        ...input,
        createdAt: clock.now(),
      }));
      records.put(records.rules, rule);
      engine.refresh();
      return shown(rule);
    },
    update_alert: ({ alertId, ...change }) => {
      const before = requireRule(alertId), rule = checked(changed(before, change));
      if (WATCHING.some((field) => before[field] !== rule[field])) engine.forget(alertId);
      records.put(records.rules, rule);
      engine.refresh();
      return shown(rule);
    },
    delete_alert: ({ alertId }) => {
      requireRule(alertId);
      records.delete(records.rules, alertId);
      engine.forget(alertId);
      return null;
    },
    enable_alert: ({ alertId, enabled }) => {
      records.put(records.rules, { ...requireRule(alertId), enabled });
      if (!enabled) engine.forget(alertId);
      engine.refresh();
      return null;
    },
    get_alert_history: ({ limit = 100, open = false }) => {
      const incidents = engine.incidents();
      return [...incidents, ...open ? [] : records.history(limit)].slice(0, limit);
    },
    get_alert_summary: (_input, { principal }) => {
      const viewer = viewerOf(principal);
      const seen = engine.incidents().filter((each) => seesAlert(viewer, each));
      const firing = seen.filter(({ state }) => state === "firing");
      return {
        firing: firing.length,
        acknowledged: seen.length - firing.length,
        worst: firing[0]?.severity ?? null, // the worst stands first
      };
    },
    acknowledge_alert: ({ incidentId }, { principal }) => {
      const incident = engine.incidents().find(({ id }) => id === incidentId);
      if (incident === undefined) {
        throw new ContractError(records.isOver(incidentId) ? "IncidentOver" : "IncidentNotFound", {
          incidentId,
        });
      }
      const { vmId } = incident;
      if (!seesAlert(viewerOf(principal), incident)) {
        throw new ContractError("IncidentNotFound", { incidentId });
      }
      const on = vmId === undefined ? "everything" : { vmId, group: vm(vmId)?.group };
      if (!may(principal.rights, "alerts.operate", on)) {
        throw new ContractError("Forbidden", { role: "operator" });
      }
      engine.acknowledge(incidentId, principal.name);
      return null;
    },
    silence_alert: ({ minutes, startsAt: begin, scope = "everything", ...input }, { principal }) => {
      records.require();
      const refusal = scopeRefusal({ scope, ...input });
      if (refusal !== undefined) throw invalid(refusal);
      if (input.alertId !== undefined) requireRule(input.alertId);
      requireVm(input.vmId);
      endOld(records, clock.now());
      if (records.silences.size >= MOST_SILENCES) {
        throw new ContractError("TooManyAlerts", { limit: MOST_SILENCES, what: "silences" });
      }
      const now = clock.now(), { repeat } = input;
      const silence: StoredSilence = {
        ...{ id: crypto.randomUUID(), ...input, scope, by: principal.name },
        ...firstWindow(begin ?? now, minutes, repeat),
        ...(repeat !== undefined && { timeZone: hostZone() }),
      };
      records.put(records.silences, silence);
      engine.refresh();
      return silenceAt(silence, now);
    },
    list_silences: () => {
      const now = clock.now();
      return records.require().silences.all.filter((silence) => !isOver(silence, now))
        .map((silence) => silenceAt(silence, now)).sort((a, b) => a.startsAt - b.startsAt);
    },
    end_silence: ({ silenceId }) => {
      if (records.require().silences.get(silenceId) === undefined) {
        throw new ContractError("SilenceNotFound", { silenceId });
      }
      records.delete(records.silences, silenceId);
      engine.refresh();
      return null;
    },
  };
}

/** Forgets silences that are over. @throws {ContractError} StoreUnavailable */
export function endOld(records: AlertRecords, now: number): void {
  for (const silence of records.silences.all) {
    if (isOver(silence, now)) records.delete(records.silences, silence.id);
  }
}
