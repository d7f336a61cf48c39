/** Alerts: what is watched, what fires, what is silenced, and who is told. */
import Type, { type Static } from "typebox";
import { ALERT_SERIES_NAMES } from "./alert_series.ts";
import { command } from "./command.ts";
import { MOST_LABEL } from "./metric_series.ts";
import { HostName } from "./on_host.ts";
import {
  closed,
  NO_OUTER_BLANK,
  NOTHING_IN,
  NOTHING_OUT,
  oneOf,
  SECRET,
  SentenceText,
  Timestamp,
  VmId,
} from "./schema.ts";

/** How bad it is, in rising order. */
export const ALERT_SEVERITIES = ["info", "warning", "critical"] as const;
export type AlertSeverity = typeof ALERT_SEVERITIES[number];

/** Kinds of alerts: a figure of VMs or hosts, or a state. */
export const ALERT_KINDS = [
  "vm_metric",
  "host_metric",
  "vm_crashed",
  "vm_disk_error",
  "guest_agent_silent",
  "host_connection_lost",
  "not_responding",
  "certificate_ends",
  "backup_failed",
  "backup_old",
  "backup_test_failed",
  "schedule_failed",
  "coverage_lost",
  "replica_late",
] as const;
export type AlertKind = typeof ALERT_KINDS[number];

/** On what an alert, or a silence, is: everything there is, one host, a group of VMs, or one VM. */
export const ALERT_SCOPES = ["everything", "host", "group", "vm"] as const;
export type AlertScope = typeof ALERT_SCOPES[number];

/** On which side of its threshold a figure is bad. */
export const ALERT_COMPARISONS = ["above", "below"] as const;
export type AlertComparison = typeof ALERT_COMPARISONS[number];

/** States of an incident: one time that an alert held of one thing. */
export const INCIDENT_STATES = ["firing", "acknowledged", "resolved"] as const;
export type IncidentState = typeof INCIDENT_STATES[number];

/** Most alerts there can be. */
export const MOST_ALERTS = 500;
/** Most incidents that are open at once; what comes beyond is counted. */
export const MOST_OPEN_INCIDENTS = 10_000;
/** Most targets of messages, and most silences. */
export const MOST_ALERT_TARGETS = 50;
export const MOST_SILENCES = 500;
/** Largest threshold, of either sign. */
const MOST_THRESHOLD = 1e18;

export const alertLine = (maxLength: number, description: string) =>
  Type.String({
    minLength: 1,
    maxLength,
    pattern: `${NO_OUTER_BLANK}[^\\u0000-\\u001f\\u007f]+$`,
    description,
  });
export const alertIdOf = (of: string) =>
  Type.String({ minLength: 1, maxLength: 64, description: `id of the ${of}` });
const Figure = (description: string) =>
  Type.Number({ minimum: -MOST_THRESHOLD, maximum: MOST_THRESHOLD, description });

/** On what it is. */
export const ALERT_SCOPE = {
  scope: oneOf(ALERT_SCOPES),
  hostId: Type.Optional(HostName),
  group: Type.Optional(alertLine(128, "group of VMs, with scope group")),
  vmId: Type.Optional(VmId),
};

/** Settings of an alert. */
export const ALERT_SETTINGS = {
  name: alertLine(100, "what it is called in lists and messages"),
  severity: oneOf(ALERT_SEVERITIES),
  watches: oneOf(ALERT_KINDS, { description: "what it watches: a figure of VMs or of hosts, or a state" }),
  series: Type.Optional(
    oneOf(ALERT_SERIES_NAMES, { description: "the figure, with vm_metric and host_metric" }),
  ),
  label: Type.Optional(
    alertLine(
      MOST_LABEL,
      "only of this disk, network card, vCPU, file system, pool or sensor; all when left out",
    ),
  ),
  comparison: oneOf(ALERT_COMPARISONS, { description: "the side of the threshold on which it fires" }),
  threshold: Type.Optional(Figure("in the unit of the series; days with certificate_ends and backup_old")),
  clearThreshold: Type.Optional(
    Figure("the figure must come back beyond this until it is over; the threshold when left out"),
  ),
  checks: Type.Integer({
    minimum: 1,
    maximum: 1000,
    description:
      "consecutive checks until it fires, and until it is over; one each --metrics-interval. With not_responding and 1, " +
      "it fires at once",
  }),
  ...ALERT_SCOPE,
  enabled: Type.Boolean(),
};

/** An alert, as it is kept. */
export const AlertRule = closed({ id: Type.String(), ...ALERT_SETTINGS, createdAt: Timestamp });
export type AlertRule = Static<typeof AlertRule>;

export const Alert = Type.Object({
  ...AlertRule.properties,
  vmName: Type.Optional(
    Type.String({ description: "name of its VM, with scope vm; of one that is gone its last" }),
  ),
  uncovered: Type.Optional(Type.Array(Type.String(), {
    description: "VMs, tags and groups that it goes by and that no VM is or has now",
  })),
  pending: Type.Integer({
    description: "of how many things it is beyond its threshold, but not for long enough",
  }),
  firing: Type.Integer({ description: "of how many things it is firing or acknowledged" }),
});
export type Alert = Static<typeof Alert>;

export const AlertIncident = Type.Object({
  id: Type.String(),
  alertId: Type.String(),
  name: Type.String({ description: "of the alert, when it fired" }),
  severity: oneOf(ALERT_SEVERITIES),
  watches: oneOf(ALERT_KINDS),
  state: oneOf(INCIDENT_STATES),
  host: Type.String(),
  vmId: Type.Optional(Type.String()),
  vmName: Type.Optional(Type.String()),
  label: Type.Optional(
    Type.String({ description: "which disk, network card, vCPU, file system, pool, network or sensor" }),
  ),
  message: SentenceText({ description: "what was seen, in a sentence" }),
  value: Type.Union([Type.Number(), Type.Null()], { description: "the figure when it fired" }),
  firedAt: Timestamp,
  acknowledgedAt: Type.Optional(Timestamp),
  acknowledgedBy: Type.Optional(Type.String()),
  endedAt: Type.Optional(Timestamp),
  ended: Type.Optional(oneOf(["cleared", "gone", "changed"], {
    description: "cleared: all is well again. gone: what it was about is no more. changed: the alert was",
  })),
  silenced: Type.Boolean({ description: "no notification is sent" }),
});
export type AlertIncident = Static<typeof AlertIncident>;

/** Alerts that fire, as far as the user sees them. */
export const AlertSummary = Type.Object({
  firing: Type.Integer({ description: "neither acknowledged nor silenced" }),
  acknowledged: Type.Integer(),
  silenced: Type.Integer({ description: "they fire, and no notification is sent" }),
  worst: Type.Union([oneOf(ALERT_SEVERITIES), Type.Null()], { description: "of what is firing" }),
});
export type AlertSummary = Static<typeof AlertSummary>;

/** How often a maintenance window comes again: at the same time of day, weekday or day of the month. */
export const SILENCE_REPEATS = ["daily", "weekly", "monthly"] as const;
export type SilenceRepeat = typeof SILENCE_REPEATS[number];

export const silenceRepeat = Type.Optional(
  oneOf(SILENCE_REPEATS, {
    description: "it holds again at the same time, by the host's clock, until it is ended; once when missing",
  }),
);

export const AlertSilence = Type.Object({
  id: Type.String(),
  alertId: Type.Optional(Type.String({ description: "of one alert; of all when missing" })),
  ...ALERT_SCOPE,
  startsAt: Timestamp,
  endsAt: Timestamp,
  repeat: silenceRepeat,
  reason: Type.Optional(Type.String()),
  by: Type.String(),
  uncovered: Type.Optional(Type.Array(Type.String(), {
    description: "VMs, tags and groups that it goes by and that no VM is or has now",
  })),
});
export type AlertSilence = Static<typeof AlertSilence>;

/** Ways to tell people elsewhere. */
export const ALERT_CHANNELS = ["email", "webhook", "ntfy", "gotify", "slack"] as const;
export type AlertChannel = typeof ALERT_CHANNELS[number];

/** How a mail server is spoken to: TLS from the first byte, TLS once both agree, none. */
export const SMTP_SECURITIES = ["tls", "starttls", "none"] as const;

const MailAddress = Type.String({
  minLength: 3,
  maxLength: 254,
  pattern: "^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$",
  description: "a plain address: name@domain",
});
/** Fields of a target in answers. Secrets are in no answer. */
const TARGET = {
  name: alertLine(100, "what it is called"),
  channel: oneOf(ALERT_CHANNELS),
  enabled: Type.Boolean(),
  minSeverity: oneOf(ALERT_SEVERITIES, { description: "it is notified of this severity and higher ones" }),
  privateAddresses: Type.Boolean({
    description: "it may be on a private network, or this host itself; never at a link-local address",
  }),
  smtpHost: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 253,
      pattern: "^[A-Za-z0-9][A-Za-z0-9.:_-]*$",
      description: "mail server",
    }),
  ),
  smtpPort: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 65535, description: "465, 587 or 25 when left out" }),
  ),
  smtpSecurity: Type.Optional(oneOf(SMTP_SECURITIES, { description: "starttls when left out" })),
  smtpUser: Type.Optional(alertLine(254, "user name at the mail server; none: it asks for none")),
  mailFrom: Type.Optional(MailAddress),
  mailTo: Type.Optional(Type.Array(MailAddress, { minItems: 1, maxItems: 20, uniqueItems: true })),
};
const TargetUrl = Type.String({
  minLength: 8,
  maxLength: 2048,
  pattern: "^https?://[^\\s\\u0000-\\u001f\\u007f]+$",
  description:
    "webhook and slack: where it is posted; ntfy: with the topic; gotify: the server. Never shown again",
  ...SECRET,
});
const TargetSecret = Type.String({
  minLength: 1,
  maxLength: 1024,
  pattern: "^[^\\u0000-\\u001f\\u007f]+$",
  description: "password of the mail server, or access token. Never shown again",
  ...SECRET,
});

export const AlertTarget = Type.Object({
  id: Type.String(),
  ...TARGET,
  address: Type.String({ description: "where it is, without what may be secret in it" }),
  hasSecret: Type.Boolean(),
  setBy: Type.Optional(
    Type.String({
      description: "who made it, or changed it last: `ann@kvm1` for a user of a linked KVM Manager",
    }),
  ),
  peerId: Type.Optional(
    Type.String({ description: "id of that KVM Manager; `host peers` has it no more once it is revoked" }),
  ),
  waiting: Type.Integer({ description: "messages that wait to be sent, or to be tried again" }),
  lastSentAt: Type.Optional(Timestamp),
  lastError: Type.Optional(Type.String({ description: "why the last try failed" })),
});
export type AlertTarget = Static<typeof AlertTarget>;
const ADMINISTER = { role: "administrator", readOnly: false, withoutLibvirt: true } as const;

const { name: _name, channel: _channel, enabled: targetEnabled, ...settable } = TARGET;

export const alertTargetCommands = {
  list_alert_targets: command({
    ...ADMINISTER,
    readOnly: true,
    summary: "List alert targets: who is notified",
    input: NOTHING_IN,
    output: Type.Array(AlertTarget),
    errors: ["StoreUnavailable"],
    route: "GET /alert-targets",
    cli: ["alert", "targets"],
    lookup: { fields: ["targetId"], by: "name", missing: "AlertTargetNotFound" },
    columns: ["name", "channel", "address", "minSeverity", "enabled", "waiting", "lastError"],
    wide: ["id", "privateAddresses", "lastSentAt"],
  }),
  create_alert_target: command({
    ...ADMINISTER,
    summary: "Tell somebody of alerts: by mail, webhook, ntfy, Gotify or Slack",
    input: closed({
      name: TARGET.name,
      channel: TARGET.channel,
      ...settable,
      enabled: Type.Optional(targetEnabled),
      minSeverity: Type.Optional(TARGET.minSeverity),
      privateAddresses: Type.Optional(TARGET.privateAddresses),
      url: Type.Optional(TargetUrl),
      secret: Type.Optional(TargetSecret),
    }),
    output: AlertTarget,
    errors: ["AlertTargetRefused", "TooManyAlerts", "StoreUnavailable"],
    route: "POST /alert-targets",
    cli: ["alert", "add-target", "<name>", "<channel>"],
    examples: [
      "kvm-manager alert add-target Phone ntfy --url-file topic.txt --min-severity=critical",
    ],
    exampleFields: ["url"],
  }),
  update_alert_target: command({
    ...ADMINISTER,
    summary: "Change a target of messages",
    description:
      "What is left out stays as it is; its kind cannot be changed. With another server, its password or token must be " +
      "given again: it goes nowhere but where it was meant for.",
    input: closed({
      targetId: alertIdOf("target"),
      name: Type.Optional(TARGET.name),
      ...settable,
      minSeverity: Type.Optional(TARGET.minSeverity),
      privateAddresses: Type.Optional(TARGET.privateAddresses),
      url: Type.Optional(TargetUrl),
      secret: Type.Optional(TargetSecret),
      replace: Type.Optional(
        Type.Boolean({
          description:
            "smtpPort, smtpUser with its password, and privateAddresses go where they are left out",
        }),
      ),
    }),
    output: AlertTarget,
    errors: ["AlertTargetNotFound", "AlertTargetRefused", "StoreUnavailable"],
    route: "PUT /alert-targets/{targetId}",
    cli: ["alert", "update-target", "<targetId>"],
    exampleFields: ["minSeverity"],
  }),
  enable_alert_target: command({
    ...ADMINISTER,
    summary: "Switch a target of messages on or off",
    input: closed({ targetId: alertIdOf("target"), enabled: targetEnabled }),
    output: NOTHING_OUT,
    errors: ["AlertTargetNotFound", "StoreUnavailable"],
    route: "PUT /alert-targets/{targetId}/enabled",
    cli: ["alert", "enable-target", "<targetId>", "<enabled>"],
  }),
  delete_alert_target: command({
    ...ADMINISTER,
    summary: "Delete a target of messages",
    input: closed({ targetId: alertIdOf("target") }),
    output: NOTHING_OUT,
    errors: ["AlertTargetNotFound", "StoreUnavailable"],
    route: "DELETE /alert-targets/{targetId}",
    cli: ["alert", "remove-target", "<targetId>"],
    destroys: "the target, its secret, and what waits to be sent to it",
  }),
  test_alert_target: command({
    ...ADMINISTER,
    summary: "Send a test message to a target",
    input: closed({ targetId: alertIdOf("target") }),
    output: NOTHING_OUT,
    errors: ["AlertTargetNotFound", "AlertNotDelivered", "JobCancelled", "StoreUnavailable"],
    joins: true,
    route: "POST /alert-targets/{targetId}/test",
    cli: ["alert", "test-target", "<targetId>"],
  }),
  deliver_alerts: command({
    ...ADMINISTER,
    summary: "Try at once to send the messages that wait",
    input: NOTHING_IN,
    output: NOTHING_OUT,
    errors: ["StoreUnavailable"],
    route: "POST /alert-targets/deliver",
    cli: ["alert", "deliver"],
  }),
};
