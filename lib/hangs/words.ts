/** Texts for parts of a host that do not respond: since when, for how long, and why. Pure. */
import { HOUR_MS } from "../duration.ts";
import { hangs as texts } from "../i18n/en/hangs.ts";
import { textsOf } from "../i18n/mod.ts";
import { oneLine } from "../text/text.ts";
import { formatClock, formatMoment, formatSpan, formatStopwatch } from "../text/time.ts";

const { t } = textsOf(texts);

/** Longest cause. */
const LONGEST = 160;

/** A hang, as texts need it: `Hang` of the contract, or a VM's own field. */
export interface HangFact {
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly call: string;
}

/** Why it does not respond: which function of libvirt does not return, or what else shows it. Without a full stop. */
export function hangCause(call: string): string {
  if (/^vir[A-Z]\w*$/.test(call)) return t("hangs.by_call", { call });
  if (/^\w+$/.test(call)) return t("hangs.by_function", { call });
  const text = oneLine(call, LONGEST).replace(/\.$/, "");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Time of day of what was lately, else with its date, in the reader's time zone. */
export function formatLately(at: number, now: number): string {
  return Math.abs(now - at) < 12 * HOUR_MS ? formatClock(at) : formatMoment(at);
}

/** For how long, to the second in the first hour. */
export function hangSpan(since: number, now: number): string {
  const span = now - since;
  return span < HOUR_MS ? formatStopwatch(span) : formatSpan(span);
}

/** Since when and why, in one line without a full stop. */
export function hangLine({ since, call }: HangFact, now: number): string {
  return t("hangs.since_cause", { time: formatLately(since, now), cause: hangCause(call) });
}
