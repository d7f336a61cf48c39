/** How the clock of a linked host differs, in words. */
import { MINUTE_MS } from "../duration.ts";
import { hosts as texts } from "../i18n/en/hosts.ts";
import { textsOf } from "../i18n/mod.ts";
import { formatSpan } from "../text/time.ts";

const { t } = textsOf(texts);

/** By how much. @param aheadMs milliseconds that it is ahead of the clock here; less than 0 where it is behind */
export function spanText(aheadMs: number): string {
  const ms = Math.abs(aheadMs);
  return ms < MINUTE_MS ? t("hosts.seconds", { n: Math.round(ms / 1000) }) : formatSpan(ms);
}

/** By how much, and which way. @param aheadMs as for {@link spanText} */
export function clockText(aheadMs: number): string {
  const span = spanText(aheadMs);
  return aheadMs > 0 ? t("hosts.clock_ahead", { span }) : t("hosts.clock_behind", { span });
}
