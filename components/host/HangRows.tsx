import type { Hang } from "../../lib/contract/mod.ts";
import { formatLately, hangCause } from "../../lib/text/hang.ts";
import { hangHref } from "../../lib/text/hung_objects.ts";
import { oneLine } from "../../lib/text/text.ts";
import { hangs as texts } from "../../lib/i18n/en/hangs.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { HangSpan } from "../kit/HangSpan.tsx";
import { Flash } from "../kit/Flash.tsx";
import { Icon } from "../kit/Icon.tsx";
import { TruncatedText } from "../kit/TruncatedText.tsx";

const { t } = textsOf(texts);

/** Longest remedy. */
const LONGEST = 300;

/** What does not respond, one entry each, in the list of what needs a person. @param now when the page was rendered */
export function HangRows({ hangs, now }: { hangs: readonly Hang[]; now: number }) {
  return (
    <>
      {hangs.map((hang) => {
        const href = hangHref(hang), name = <TruncatedText text={hang.name} longest={60} />;
        return (
          <li key={`${hang.about} ${hang.name}`} data-tone="bad" data-hang={hang.about}>
            <Icon name="circleAlert" />
            {href === undefined
              ? <span class="attention-name">{t(`hangs.about.${hang.about}`)}</span>
              : <a class="attention-name" href={href}>{name}</a>}
            <span class="text-muted">
              {href === undefined ? oneLine(hang.name, 60) : t(`hangs.about.${hang.about}`)}
              {": "}
              {t("hangs.since_low", { time: formatLately(hang.since, now) })}
              <HangSpan since={hang.since} now={now} />. {hangCause(hang.call)}.{" "}
              {oneLine(hang.remedy, LONGEST)}
            </span>
          </li>
        );
      })}
    </>
  );
}

/** That what a page is about does not respond: since when, why, what helps. */
export function HangBanner({ hang, now }: { hang: Hang; now: number }) {
  return (
    <Flash
      tone="bad"
      title={t("hangs.of", {
        what: `${t(`hangs.about.${hang.about}`)} ${oneLine(hang.name, 60)}`,
        time: formatLately(hang.since, now),
      })}
    >
      <HangSpan since={hang.since} now={now} />
      <p>{hangCause(hang.call)}. {oneLine(hang.remedy, LONGEST)} {t("hangs.known")}</p>
    </Flash>
  );
}

/** The state of what does not respond, in a table: with since when; and, where there is room for it, what helps. */
export function HangState({ hang, now, short = false }: { hang: Hang; now: number; short?: boolean }) {
  const time = formatLately(hang.since, now);
  return (
    <span class="hang-state">
      <span class="state" data-tone="bad" title={hangCause(hang.call)}>
        <Icon name="circleAlert" />
        <span class="state-word">{t("hangs.title")}</span>
      </span>
      {!short && (
        <small>
          {t("hangs.row_since", { time })} {oneLine(hang.remedy, LONGEST)}
        </small>
      )}
    </span>
  );
}
