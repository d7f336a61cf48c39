/**
 * The alert engine: the state of all incidents, updated by each check, and written in one transaction with
 * the messages that report them. A state that cannot be written is kept, and written with the next check.
 */
import {
  ALERT_SEVERITIES,
  type AlertRule,
  ContractError,
  MOST_OPEN_INCIDENTS,
} from "../../lib/contract/mod.ts";
import type { PublishedEvent } from "../../lib/contract/events.ts";
import { type AlertSubject, isInScope } from "../../lib/alerts/rule.ts";
import { holds, type StoredSilence } from "../../lib/alerts/silence.ts";
import { check, type Observation, type Watch, WELL } from "../../lib/alerts/watch.ts";
import { incidentMessage } from "../../lib/alerts/words.ts";
import type { Unrendered } from "../../lib/i18n/message.ts";
import type { Clock } from "../clock.ts";
import type { AlertRecords, IncidentRecord, KeptIncident, MessageItem } from "./records.ts";
import type { Outbox } from "./outbox.ts";

/** Incidents of one check that are told one by one as events. */
const MOST_EVENTS = 20;

/** Subject of a check. */
export interface Watched extends AlertSubject {
  readonly vmName?: string | undefined;
  /** Name of the disk, card, pool, …; empty for the whole subject. */
  readonly label: string;
}

/** Something that is not well. */
interface Open {
  rule: AlertRule;
  of: Watched;
  watch: Watch;
  record?: IncidentRecord;
  /** The last round that has seen it. */
  round: number;
  /** A sentence on the observation, if there is one. */
  detail?: string | undefined;
}

/** Services for the alert engine: records, the outbox, the clock, events, groups of VMs, and maintenance. */
export interface AlertWorld {
  readonly records: AlertRecords;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly publish: (events: readonly Unrendered<PublishedEvent>[]) => void;
  /** The group of a VM now. */
  readonly groupOf: (vmId: string) => string | undefined;
  /** Whether people are told nothing of a host now, as if it were silenced: it is in maintenance. */
  readonly isHeld?: (hostId: string) => boolean;
}

const keyOf = (ruleId: string, { host, vmId = "", label }: Watched) =>
  `${ruleId}\n${host}\n${vmId}\n${label}`;

/** Subject of an incident. */
const watchedOf = ({ host, vmId, vmName, label = "" }: KeptIncident): Watched => ({
  host,
  vmId,
  vmName,
  label,
});

const bySeverity = (a: KeptIncident, b: KeptIncident) =>
  ALERT_SEVERITIES.indexOf(b.severity) - ALERT_SEVERITIES.indexOf(a.severity);

/** One check of some alerts on some things. */
export class AlertRound {
  constructor(
    /** Alerts that are switched on, of the kinds that are checked. */
    readonly rules: readonly AlertRule[],
    private readonly step: (
      rule: AlertRule,
      of: Watched,
      seen: Observation,
      value: number,
      detail?: string,
    ) => void,
    private readonly finish: (unseen?: (of: Watched, rule: AlertRule) => Observation | undefined) => void,
  ) {}

  /**
   * Tells what was seen of one thing.
   *
   * @param value the figure, where there is one
   * @param detail the sentence, where the kind of the alert has none
   */
  see(rule: AlertRule, of: Watched, seen: Observation, value = NaN, detail?: string): void {
    this.step(rule, of, seen, value, detail);
  }

  /**
   * Ends the check, and writes its results.
   *
   * @param unseen observation for an open incident that was not seen; undefined: not checked in this round
   */
  end(unseen?: (of: Watched, rule: AlertRule) => Observation | undefined): void {
    this.finish(unseen);
  }
}

export class AlertEngine {
  readonly #world: AlertWorld;
  readonly #open = new Map<string, Open>();
  /** Changed, and not written yet: by the incident's id. */
  readonly #unwritten = new Map<string, IncidentRecord>();
  #untold: MessageItem[] = [];
  #fired: KeptIncident[] = [];
  #hasChanged = false;
  #round = 0;
  #isOverfull = false;

  constructor(world: AlertWorld) {
    this.#world = world;
  }

  /** Takes up what is open, as it was stored: it does not fire again. */
  takeUp(records: readonly IncidentRecord[]): void {
    for (const record of records) {
      const { incident } = record, of = watchedOf(incident);
      const rule = this.#world.records.rules.get(incident.alertId);
      const key = keyOf(incident.alertId, of);
      if (this.#open.has(key) || rule === undefined || incident.state === "resolved") continue;
      this.#open.set(key, { rule, of, watch: { state: incident.state, count: 0 }, record, round: 0 });
    }
  }

  /** Begins a check. @param isOurs whether an alert is checked */
  begin(isOurs: (rule: AlertRule) => boolean): AlertRound {
    const round = ++this.#round;
    const rules = this.#world.records.rules.all.filter((rule) => rule.enabled && isOurs(rule));
    const ours = new Set(rules.map(({ id }) => id));
    // Most alerts have nothing open: what is well there needs no look-up
    const withOpen = new Set([...this.#open.values()].map(({ rule }) => rule.id));
    let tooMany = 0;
    const step = (rule: AlertRule, of: Watched, seen: Observation, value: number, detail?: string) => {
      if ((seen !== "bad" && !withOpen.has(rule.id)) || !isInScope(rule, of)) return;
      if (!this.#step(rule, of, seen, value, round, detail)) tooMany++;
    };
    return new AlertRound(rules, step, (unseen) => {
      if (unseen !== undefined) {
        for (const { rule, of, round: last } of [...this.#open.values()]) {
          const seen = last === round || !ours.has(rule.id) ? undefined : unseen(of, rule);
          if (seen !== undefined) this.#step(rule, of, seen, NaN, round);
        }
        this.#tellOverfull(tooMany);
      }
      this.#write();
    });
  }

  /** @returns false when there is no room for it */
  #step(
    rule: AlertRule,
    of: Watched,
    seen: Observation,
    value: number,
    round: number,
    detail?: string,
  ): boolean {
    const key = keyOf(rule.id, of), known = this.#open.get(key);
    if (known === undefined && seen !== "bad") return true;
    if (known === undefined && this.#open.size >= MOST_OPEN_INCIDENTS) return false;
    const { watch, became } = check(known?.watch ?? WELL, seen, rule.checks);
    const open: Open = known ?? { rule, of, watch, round };
    Object.assign(open, { rule, of, watch, round, detail });
    if (watch.state === "well") this.#open.delete(key);
    else if (known === undefined) this.#open.set(key, open);
    if (became === "firing") this.#fire(open, value);
    else if (became !== undefined) this.#over(open, became);
    return true;
  }

  #fire(open: Open, value: number): void {
    const { rule, of: { host, vmId, vmName, label }, detail } = open;
    const incident: KeptIncident = {
      id: crypto.randomUUID(),
      alertId: rule.id,
      name: rule.name,
      severity: rule.severity,
      watches: rule.watches,
      state: "firing",
      host,
      ...(vmId !== undefined && { vmId }),
      ...(vmName !== undefined && { vmName }),
      ...(label !== "" && { label }),
      message: incidentMessage(rule, value, label, detail),
      value: Number.isFinite(value) ? value : null,
      firedAt: this.#world.clock.now(),
      silenced: this.#isSilenced(open),
    };
    this.#fired.push(incident);
    this.#keep(open, { incident, told: false });
  }

  #over(open: Open, ended: NonNullable<KeptIncident["ended"]>): void {
    const { record } = open;
    if (record === undefined) return;
    const incident: KeptIncident = {
      ...record.incident,
      state: "resolved",
      endedAt: this.#world.clock.now(),
      ended,
    };
    if (record.told && !this.#isSilenced(open)) this.#untold.push({ kind: "resolved", incident });
    this.#keep(open, { ...record, incident });
  }

  #keep(open: Open, record: IncidentRecord): void {
    open.record = record;
    this.#unwritten.set(record.incident.id, record);
    this.#hasChanged = true;
  }

  #tellOverfull(tooMany: number): void {
    if (tooMany > 0 && !this.#isOverfull) {
      const message =
        `More than ${MOST_OPEN_INCIDENTS} alerts hold at once. ${tooMany} more are not listed until ` +
        "others are over. Look for a cause that they share, or narrow the alerts.";
      this.#world.publish([["error", { message }]]);
    }
    this.#isOverfull = tooMany > 0;
  }

  /** The silences that hold now. */
  #silences(): readonly StoredSilence[] {
    const now = this.#world.clock.now();
    return this.#world.records.silences.all.filter((silence) => holds(silence, now));
  }

  #isSilenced({ rule, of }: Open, silences = this.#silences()): boolean {
    if (this.#world.isHeld?.(of.host) === true) return true;
    if (silences.length === 0) return false;
    const subject = { ...of, group: of.vmId === undefined ? undefined : this.#world.groupOf(of.vmId) };
    return silences.some((silence) =>
      (silence.alertId === undefined || silence.alertId === rule.id) && isInScope(silence, subject)
    );
  }

  /** Notifies people of new alerts that fire, unless they are silenced. */
  #tell(): void {
    const silences = this.#silences();
    for (const open of this.#open.values()) {
      const { record } = open;
      if (record === undefined || record.told || record.incident.state !== "firing") continue;
      const silenced = this.#isSilenced(open, silences);
      if (silenced && record.incident.silenced) continue;
      const incident = { ...record.incident, silenced };
      if (!silenced) this.#untold.push({ kind: "fired", incident });
      this.#keep(open, { incident, told: !silenced });
    }
  }

  #write(): void {
    const { records, outbox, publish } = this.#world;
    this.#tell();
    if (this.#unwritten.size > 0) {
      const messages = outbox.plan(this.#untold);
      const isWritten = records.write((database) => {
        records.writeIncidents(database, [...this.#unwritten.values()]);
        for (const message of messages) records.messages.write(database, message);
      });
      if (isWritten) {
        for (const message of messages) records.messages.keep(message);
        this.#unwritten.clear();
        this.#untold = [];
      }
    }
    if (!this.#hasChanged) return;
    this.#hasChanged = false;
    const fired = this.#fired.filter(({ silenced }) => !silenced).sort(bySeverity);
    this.#fired = [];
    const told = fired.slice(0, MOST_EVENTS);
    publish([
      ...told.map((incident, index): Unrendered<PublishedEvent> => {
        const isLast = index === told.length - 1;
        return ["alert-fired", { incident, more: isLast ? fired.length - told.length : 0 }];
      }),
      ["alerts-changed", {}],
    ]);
  }

  /**
   * Open incidents, the worst and newest first; `silenced` as it is now, also if messages were sent before
   * the silence.
   */
  incidents(): KeptIncident[] {
    const silences = this.#silences();
    return [...this.#open.values()].flatMap((open) =>
      open.record === undefined
        ? []
        : [{ ...open.record.incident, silenced: this.#isSilenced(open, silences) }]
    ).sort((a, b) => bySeverity(a, b) || b.firedAt - a.firedAt);
  }

  /** Of how many things an alert is pending and firing. */
  counts(): ReadonlyMap<string, { pending: number; firing: number }> {
    const found = new Map<string, { pending: number; firing: number }>();
    for (const { rule, watch: { state } } of this.#open.values()) {
      const counts = found.get(rule.id) ?? { pending: 0, firing: 0 };
      counts[state === "pending" ? "pending" : "firing"]++;
      found.set(rule.id, counts);
    }
    return found;
  }

  /** Somebody looks after it. @throws {ContractError} IncidentNotFound, IncidentOver, StoreUnavailable */
  acknowledge(incidentId: string, by: string): void {
    const { records, clock, publish } = this.#world;
    const open = [...this.#open.values()].find(({ record }) => record?.incident.id === incidentId);
    if (open?.record === undefined) {
      throw new ContractError(records.isOver(incidentId) ? "IncidentOver" : "IncidentNotFound", {
        incidentId,
      });
    }
    const { record } = open;
    if (record.incident.state === "acknowledged") return;
    const incident: KeptIncident = {
      ...record.incident,
      state: "acknowledged",
      acknowledgedAt: clock.now(),
      acknowledgedBy: by,
    };
    const kept = { ...record, incident };
    records.commit((database) => records.writeIncidents(database, [kept]));
    this.#unwritten.delete(incidentId);
    open.record = kept;
    open.watch = { ...open.watch, state: "acknowledged" };
    publish([["alerts-changed", {}]]);
  }

  /** An alert was changed, switched off or deleted: what it has fired is over. */
  forget(ruleId: string): void {
    this.#end(({ rule }) => rule.id === ruleId, "changed");
  }

  /** A host was removed: what fires on it is over. */
  forgetHost(host: string): void {
    this.#end(({ of }) => of.host === host, "gone");
  }

  #end(isMeant: (open: Open) => boolean, ended: NonNullable<KeptIncident["ended"]>): void {
    for (const [key, open] of this.#open) {
      if (!isMeant(open)) continue;
      this.#open.delete(key);
      this.#over(open, ended);
    }
    this.#hasChanged = true;
    this.#write();
  }

  /** Silences have changed: what is told follows them at once. */
  refresh(): void {
    this.#hasChanged = true;
    this.#write();
  }
}
