import type { Hang } from "../../lib/contract/mod.ts";
import { formatLately, hangCause } from "../../lib/hangs/words.ts";
import { oneLine } from "../../lib/text/text.ts";
import { hangs as texts } from "../../lib/i18n/en/hangs.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { Icon } from "../kit/Icon.tsx";

const { t } = textsOf(texts);

/** Longest remedy. */
const LONGEST = 300;

/**
 * The state of what does not respond: with since when and what helps, where there is room for it.
 *
 * @param now when the page was rendered
 */
export function HangState({ hang, now, short = false }: { hang: Hang; now: number; short?: boolean }) {
  const { since, call, remedy } = hang;
  return (
    <span class="hang-state">
      <span class="state" data-tone="bad" title={hangCause(call)}>
        <Icon name="circleAlert" />
        <span class="state-word">{t("hangs.title")}</span>
      </span>
      {!short && (
        <small>{t("hangs.row_since", { time: formatLately(since, now) })} {oneLine(remedy, LONGEST)}</small>
      )}
    </span>
  );
}
