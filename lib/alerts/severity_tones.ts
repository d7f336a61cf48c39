/** How bad a severity looks: one colour for it in tables and messages. Pure. */
import type { AlertSeverity } from "../contract/alerts.ts";

/** Severity → tone. */
export const SEVERITY_TONES = {
  info: "info",
  warning: "warn",
  critical: "bad",
} as const satisfies Record<AlertSeverity, string>;
