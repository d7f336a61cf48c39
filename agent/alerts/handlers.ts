/** The commands on alerts. */
import {
  type Alert,
  type alertCommands,
  type AlertRule,
  type AlertSilence,
  ContractError,
  type Input,
  MOST_ALERTS,
  MOST_SILENCES,
} from "../../lib/contract/mod.ts";
import { type AlertPlace, objectOfAlert, seesAlert } from "../../lib/access/filter_output.ts";
import { may } from "../../lib/access/rights.ts";
import { type RuleRefusal, ruleRefusal, scopeRefusal } from "../../lib/alerts/rule.ts";
import { firstWindow, isOver, silenceAt, type StoredSilence } from "../../lib/alerts/silence.ts";
import type { Principal } from "../access.ts";
import { type AccessWorld, viewerOf as viewerIn } from "../access/authorise.ts";
import { type Clock, hostZone } from "../clock.ts";
import type { Handlers } from "../dispatch.ts";
import type { Coverage } from "../coverage/coverage.ts";
import { targetsOn } from "./covers.ts";
import type { AlertEngine } from "./engine.ts";
import { type AlertRecords, isWanted } from "./records.ts";
import { message } from "../../lib/i18n/message.ts";

/** Services for the commands on alerts: their records, the engine, the clock, and look-up of VMs. */
export interface AlertContext {
  readonly records: AlertRecords;
  readonly engine: AlertEngine;
  readonly clock: Clock;
  readonly coverage: Pick<Coverage, "uncovered" | "nameOf">;
  readonly places: Pick<AccessWorld, "vm" | "vmsOn">;
}

/** An input that its field's schema takes, yet not as a whole. */
export const invalid = ({ field, reason }: RuleRefusal) =>
  new ContractError("InvalidInput", { field, reason: message`${field} ${reason}` });

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
/** Look-ups of the commands, and their requirements before a change. */
function alertLookup({ records, engine, coverage, places }: AlertContext) {
  const viewerOf = (principal: Principal) => viewerIn(principal, places);
  const requireRule = (alertId: string): AlertRule => {
    const rule = records.require().rules.get(alertId);
    if (rule === undefined) throw new ContractError("AlertNotFound", { alertId });
    return rule;
  };
  const shown = (rule: AlertRule, counts = engine.counts()): Alert => {
    const vmName = rule.vmId === undefined ? undefined : coverage.nameOf(rule.vmId);
    const { pending, firing } = counts.get(rule.id) ?? { pending: 0, firing: 0 };
    return {
      ...rule,
      ...(vmName !== undefined && { vmName }),
      pending,
      firing,
      ...coverage.uncovered(targetsOn(rule)),
    };
  };
  const silenceShown = (silence: StoredSilence, now: number): AlertSilence => ({
    ...silenceAt(silence, now),
    ...coverage.uncovered(targetsOn(silence)),
  });
  /** An alert that somebody sees: what is out of sight is not there for them. */
  const requireSeen = (alertId: string, principal: Principal): AlertRule => {
    const rule = requireRule(alertId);
    if (!seesAlert(viewerOf(principal), rule)) throw new ContractError("AlertNotFound", { alertId });
    return rule;
  };
  /**
   * Requires that the scope of an alert or a silence exists and is visible: all VMs and hosts, if it is not
   * on one VM.
   */
  const requireScope = (on: AlertPlace, principal: Principal) => {
    const { vmId } = on, isSeen = seesAlert(viewerOf(principal), on);
    if (vmId !== undefined && (!isSeen || places.vm(vmId) === undefined)) {
      throw new ContractError("VmNotFound", { vmId });
    }
    if (!isSeen) throw new ContractError("Forbidden", { role: "viewer" });
  };
  const checked = (rule: AlertRule, principal: Principal): AlertRule => {
    const refusal = ruleRefusal(rule);
    if (refusal !== undefined) throw invalid(refusal);
    requireScope(rule, principal);
    return rule;
  };
  /** Whether somebody sees a silence: what it is on, or else the one alert that it is of. */
  const seesSilence = ({ alertId, scope, ...on }: AlertSilence, principal: Principal) => {
    const viewer = viewerOf(principal), rule = alertId === undefined ? undefined : records.rules.get(alertId);
    const isOfSeen = rule !== undefined && seesAlert(viewer, rule);
    if (alertId !== undefined && !isOfSeen && !seesAlert(viewer, {})) return false;
    return (scope === "everything" && isOfSeen) || seesAlert(viewer, on);
  };
  return { viewerOf, shown, silenceShown, requireSeen, requireScope, checked, seesSilence };
}

type AlertLookup = ReturnType<typeof alertLookup>;

/** The rules. */
function ruleHandlers(
  { records, engine, clock }: AlertContext,
  { shown, requireSeen, checked }: AlertLookup,
) {
  return {
    list_alerts: () => {
      const counts = engine.counts();
      return [...records.require().rules.all].sort((a, b) => a.name < b.name ? -1 : 1)
        .map((rule) => shown(rule, counts));
    },
    get_alert: ({ alertId }, { principal }) => shown(requireSeen(alertId, principal)),
    create_alert: (input, { principal }) => {
      if (records.require().rules.size >= MOST_ALERTS) {
        throw new ContractError("TooManyAlerts", { limit: MOST_ALERTS, what: "alerts" });
      }
      const rule = checked(
        present({
          id: crypto.randomUUID(),
          ...{ severity: "warning", checks: 3, scope: "everything", enabled: true } as const,
          comparison: input.watches === "certificate_ends" ? "below" : "above",
          ...input,
          createdAt: clock.now(),
        }),
        principal,
      );
      records.put(records.rules, rule);
      engine.refresh();
      return shown(rule);
    },
    update_alert: ({ alertId, ...change }, { principal }) => {
      const before = requireSeen(alertId, principal), rule = checked(changed(before, change), principal);
      if (WATCHING.some((field) => before[field] !== rule[field])) engine.forget(alertId);
      records.put(records.rules, rule);
      engine.refresh();
      return shown(rule);
    },
    delete_alert: ({ alertId }, { principal }) => {
      requireSeen(alertId, principal);
      records.delete(records.rules, alertId);
      engine.forget(alertId);
      return null;
    },
    enable_alert: ({ alertId, enabled }, { principal }) => {
      records.put(records.rules, { ...requireSeen(alertId, principal), enabled });
      if (!enabled) engine.forget(alertId);
      engine.refresh();
      return null;
    },
  } satisfies Partial<Handlers>;
}

/** Commands on present and past incidents. */
function incidentHandlers({ records, engine }: AlertContext, { viewerOf }: AlertLookup) {
  return {
    get_alert_history: ({ limit = 100, open = false, ...wanted }) => {
      const incidents = engine.incidents().filter((each) => isWanted(each, wanted));
      return [...incidents, ...open ? [] : records.history(limit, wanted)].slice(0, limit);
    },
    get_alert_summary: (_input, { principal }) => {
      const viewer = viewerOf(principal);
      const seen = engine.incidents().filter((each) => seesAlert(viewer, each));
      const fired = seen.filter(({ state }) => state === "firing");
      const firing = fired.filter(({ silenced }) => !silenced);
      return {
        firing: firing.length,
        acknowledged: seen.length - fired.length,
        silenced: fired.length - firing.length,
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
      const viewer = viewerOf(principal);
      if (!seesAlert(viewer, incident)) throw new ContractError("IncidentNotFound", { incidentId });
      if (!may(principal.rights, "alerts.operate", objectOfAlert(viewer, incident))) {
        throw new ContractError("Forbidden", { role: "operator" });
      }
      engine.acknowledge(incidentId, principal.name);
      return null;
    },
  } satisfies Partial<Handlers>;
}

/** Silences. */
function silenceHandlers({ records, engine, clock }: AlertContext, lookup: AlertLookup) {
  const { silenceShown, requireSeen, requireScope, seesSilence } = lookup;
  return {
    silence_alert: ({ minutes, startsAt: begin, scope = "everything", ...input }, { principal }) => {
      records.require();
      const refusal = scopeRefusal({ scope, ...input });
      if (refusal !== undefined) throw invalid(refusal);
      if (input.alertId !== undefined) requireSeen(input.alertId, principal);
      if (scope !== "everything" || input.alertId === undefined) requireScope(input, principal);
      endOld(records, clock.now());
      if (records.silences.size >= MOST_SILENCES) {
        throw new ContractError("TooManyAlerts", { limit: MOST_SILENCES, what: "silences" });
      }
      const now = clock.now(), { repeat } = input;
      const silence: StoredSilence = {
        id: crypto.randomUUID(),
        ...input,
        scope,
        by: principal.name,
        ...firstWindow(begin ?? now, minutes, repeat),
        ...(repeat !== undefined && { timeZone: hostZone() }),
      };
      records.put(records.silences, silence);
      engine.refresh();
      return silenceShown(silence, now);
    },
    list_silences: (_input, { principal }) => {
      const now = clock.now();
      return records.require().silences.all
        .filter((silence) => !isOver(silence, now) && seesSilence(silence, principal))
        .map((silence) => silenceShown(silence, now)).sort((a, b) => a.startsAt - b.startsAt);
    },
    end_silence: ({ silenceId }, { principal }) => {
      const silence = records.require().silences.get(silenceId);
      if (silence === undefined || !seesSilence(silence, principal)) {
        throw new ContractError("SilenceNotFound", { silenceId });
      }
      records.delete(records.silences, silenceId);
      engine.refresh();
      return null;
    },
  } satisfies Partial<Handlers>;
}

/** A handler for each of them. */
export function alertHandlers(context: AlertContext): Pick<Handlers, keyof typeof alertCommands> {
  const lookup = alertLookup(context);
  return {
    ...ruleHandlers(context, lookup),
    ...incidentHandlers(context, lookup),
    ...silenceHandlers(context, lookup),
  };
}

/** Forgets silences that are over. @throws {ContractError} StoreUnavailable */
export function endOld(records: AlertRecords, now: number): void {
  for (const silence of records.silences.all) {
    if (isOver(silence, now)) records.delete(records.silences, silence.id);
  }
}
