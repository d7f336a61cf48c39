import { seconds } from "../../lib/client/seconds.ts";
import { useHydrated } from "../../lib/client/use_hydrated.ts";
import { hangSpan } from "../../lib/hangs/words.ts";
import { hangs } from "../../lib/i18n/en/hangs.ts";
import { textsOf } from "../../lib/i18n/mod.ts";

const { t } = textsOf(hangs);

/** For how long something has not responded; it ticks while one looks. @param now when the page was rendered */
export function HangSpan({ since, now }: { since: number; now: number }) {
  const at = useHydrated() ? Math.max(seconds.value, now) : now;
  // Every second would be too much to be told.
  return <span class="state-clock" aria-hidden="true">{t("hangs.for", { span: hangSpan(since, at) })}</span>;
}
