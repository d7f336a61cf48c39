import type { ComponentChildren } from "preact";
import type { Hang } from "../../lib/contract/mod.ts";
import { formatLately, hangCause } from "../../lib/hangs/words.ts";
import { hangHref } from "../../lib/hangs/objects.ts";
import { oneLine } from "../../lib/text/text.ts";
import { hangs as texts } from "../../lib/i18n/en/hangs.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { HangSpan } from "./HangSpan.tsx";
import { Icon } from "../kit/Icon.tsx";
import { TruncatedText } from "../kit/TruncatedText.tsx";

const { t } = textsOf(texts);

/** Longest remedy. */
const LONGEST = 300;

/**
 * Something that does not respond, in the list of what needs a person.
 *
 * @param now when the page was rendered
 * @param children what else is wrong with it
 */
export function HangRow({ hang, now, children }: {
  hang: Hang;
  now: number;
  children?: ComponentChildren;
}) {
  const { about, name, since, call, remedy } = hang;
  const href = hangHref(hang), shown = <TruncatedText text={name} longest={60} />;
  return (
    <li data-tone="bad" data-hang={about}>
      <Icon name="circleAlert" />
      <div class="hang-row">
        <span>
          {href === undefined
            ? <span class="attention-name">{shown}</span>
            : <a class="attention-name" href={href}>{shown}</a>}{" "}
          <span class="text-muted">{t(`hangs.about.${about}`)}</span>
        </span>
        <span>
          {t("hangs.since", { time: formatLately(since, now) })} <HangSpan since={since} now={now} />
        </span>
        <span class="text-muted">{hangCause(call)}. {oneLine(remedy, LONGEST)}</span>
        {children}
      </div>
    </li>
  );
}
