import type { Hang } from "../../lib/contract/mod.ts";
import { formatLately, hangCause } from "../../lib/hangs/words.ts";
import { oneLine } from "../../lib/text/text.ts";
import { hangs as texts } from "../../lib/i18n/en/hangs.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { Flash } from "../kit/Flash.tsx";
import { HangSpan } from "./HangSpan.tsx";

const { t } = textsOf(texts);

/** Longest remedy. */
const LONGEST = 300;

/** That what a page is about does not respond: since when, why, what helps. @param now when the page was rendered */
export function HangBanner({ hang, now }: { hang: Hang; now: number }) {
  const { about, name, since, call, remedy } = hang;
  const what = `${t(`hangs.about.${about}`)} ${oneLine(name, 120)}`;
  return (
    <div class="hang-note" role="alert">
      <Flash tone="bad" quiet title={t("hangs.of", { what, time: formatLately(since, now) })}>
        <HangSpan since={since} now={now} />
        <p>{hangCause(call)}. {oneLine(remedy, LONGEST)}</p>
        <p class="text-muted">{t("hangs.known")}</p>
      </Flash>
    </div>
  );
}
