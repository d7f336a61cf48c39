/** The figures sent to a receiver of OpenTelemetry's protocol. */
import Type, { type Static } from "typebox";
import { command } from "./command.ts";
import { CLEARABLE, closed, NOTHING_IN, SECRET, Timestamp } from "./schema.ts";

/** Seconds between two sendings. */
export const PUSH_INTERVAL = { least: 10, most: 3600, usual: 60 } as const;
/** Characters of the headers, and of the certificates. */
const MOST_HEADERS = 8192, MOST_CA = 65_536;

const SHOWN = {
  enabled: Type.Boolean(),
  intervalSeconds: Type.Integer({
    minimum: PUSH_INTERVAL.least,
    maximum: PUSH_INTERVAL.most,
    description: "seconds from one sending to the next; there are new figures each --metrics-interval",
  }),
  ca: Type.String({
    maxLength: MOST_CA,
    description: "PEM certificates of the authorities that may have issued the receiver's; empty: the host's",
    ...CLEARABLE,
  }),
  privateAddresses: Type.Boolean({
    description: "it may be on a private network, or this host itself; never at a link-local address",
  }),
};

export const MetricPush = Type.Object({
  ...SHOWN,
  address: Type.Union([Type.String(), Type.Null()], {
    description: "protocol, host and port of the receiver; null: none is set",
  }),
  headers: Type.Array(Type.String(), {
    description: "names of the headers that are sent along; never their values",
  }),
  lastSentAt: Type.Union([Timestamp, Type.Null()]),
  lastPoints: Type.Integer({ description: "figures that were sent then" }),
  trouble: Type.Optional(Type.String({ description: "why the last try failed" })),
  nextTryAt: Type.Optional(Timestamp),
});
export type MetricPush = Static<typeof MetricPush>;

const ADMINISTER = { role: "administrator", withoutLibvirt: true } as const;

/** Commands on figures that are sent. */
export const metricPushCommands = {
  get_metric_push: command({
    ...ADMINISTER,
    summary: "Show where metrics are sent to",
    input: NOTHING_IN,
    output: MetricPush,
    errors: ["StoreUnavailable"],
    route: "GET /metrics/push",
    cli: ["metrics", "push"],
    readOnly: true,
  }),
  update_metric_push: command({
    ...ADMINISTER,
    summary: "Set where metrics are sent to",
    description:
      "To an OpenTelemetry collector, or whatever takes OTLP over HTTP as JSON. What is left out stays as it is; with " +
      "another server the headers are to be given again.",
    input: closed({
      enabled: Type.Optional(SHOWN.enabled),
      url: Type.Optional(Type.String({
        maxLength: 2048,
        description: "address of the receiver; /v1/metrics is added to one without a path",
        ...SECRET,
      })),
      headers: Type.Optional(Type.String({
        maxLength: MOST_HEADERS,
        description: "lines of Name: value, sent along: Authorization: Bearer …",
        ...SECRET,
      })),
      clearHeaders: Type.Optional(Type.Boolean({ description: "no headers are sent along any more" })),
      intervalSeconds: Type.Optional(SHOWN.intervalSeconds),
      ca: Type.Optional(SHOWN.ca),
      privateAddresses: Type.Optional(SHOWN.privateAddresses),
    }),
    output: MetricPush,
    errors: ["StoreUnavailable"],
    route: "PUT /metrics/push",
    cli: ["metrics", "set-push"],
    examples: ["kvm-manager metrics set-push --enabled --url-file endpoint.txt"],
    exampleFields: ["enabled", "url"],
    readOnly: false,
  }),
  test_metric_push: command({
    ...ADMINISTER,
    summary: "Send the latest metrics at once",
    description: "As they would be sent by themselves, also while that is off.",
    input: NOTHING_IN,
    output: Type.Object({ points: Type.Integer({ description: "figures that were taken" }) }),
    errors: ["StoreUnavailable", "MetricsNotSent"],
    route: "POST /metrics/push/test",
    cli: ["metrics", "test-push"],
    readOnly: false,
  }),
};
