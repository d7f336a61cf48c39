import { locale, zone } from "../../lib/i18n/locale.ts";
import { schedules as texts } from "../../lib/i18n/en/schedules.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { formatOwnClock } from "../../lib/schedules/own_clock.ts";
import type { Failure } from "../../lib/text/failure.ts";
import { formatWhen } from "../../lib/text/time.ts";

const { t } = textsOf(texts);

/** When it would run: times, or why not. */
export interface Preview {
  readonly timeZone: string;
  readonly next: readonly number[];
  readonly failure: Failure | null;
}

/** The next runs in the page's time zone; by the schedule's own clock, too, where that is another. */
export function NextRuns({ next, timeZone }: Pick<Preview, "next" | "timeZone">) {
  if (next.length === 0) return <p class="text-muted pad">{t("schedules.preview_none")}</p>;
  return (
    <ol class="next-runs">
      {next.map((at) => (
        <li key={at}>
          <time dateTime={new Date(at).toISOString()}>{formatWhen(at)}</time>
          {timeZone !== zone() && (
            <>
              {" "}
              <span class="text-muted">
                {t("schedules.in_zone", { when: formatOwnClock(at, timeZone, locale()), zone: timeZone })}
              </span>
            </>
          )}
        </li>
      ))}
    </ol>
  );
}
