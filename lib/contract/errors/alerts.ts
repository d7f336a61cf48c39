/** Errors: alerts. */
import type { ErrorKind } from "./kind.ts";

export const ALERT_ERRORS = {
  AlertNotFound: { text: "Alert not found: {alertId}", status: 404, exit: 4 },
  IncidentNotFound: { text: "Nothing has fired with the id {incidentId}", status: 404, exit: 4 },
  IncidentOver: { text: "This is over already: there is nothing to acknowledge", status: 409, exit: 5 },
  SilenceNotFound: { text: "Silence not found: {silenceId}", status: 404, exit: 4 },
  AlertTargetNotFound: { text: "Target not found: {targetId}", status: 404, exit: 4 },
  AlertTargetRefused: { text: "Messages cannot be sent to {host}: {reason}", status: 403, exit: 6 },
  TooManyAlerts: { text: "There can be {limit} {what}. Delete one first.", status: 409, exit: 5 },
  AlertNotDelivered: { text: "The message was not delivered: {reason}", status: 502, exit: 1 },
} as const satisfies Record<string, ErrorKind>;
