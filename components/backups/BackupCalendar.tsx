import type { Backup, BackupDayRun, Weekday } from "../../lib/contract/mod.ts";
import { type BackupDay, calendarOf, dayText } from "../../lib/backup/calendar.ts";
import { runsHref } from "../../lib/backup/describe.ts";
import { backups as texts } from "../../lib/i18n/en/backups.ts";
import { schedules } from "../../lib/i18n/en/schedules.ts";
import { type PlainKeyOf, textsOf } from "../../lib/i18n/mod.ts";
import { formatWhen } from "../../lib/text/time.ts";
import { RUN_LOOKS, weekdayName } from "../../lib/schedules/describe.ts";
import { Panel } from "../kit/Panel.tsx";

const { t } = textsOf(texts);
const words = textsOf(schedules);
const WEEKDAYS: readonly Weekday[] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/** The place of a run on its page. */
export const runAnchor = (runId: string): string => `run-${runId}`;

/** Texts by result of a check, without one for a missing check. */
const CHECKS: Readonly<Record<string, PlainKeyOf<typeof texts>>> = {
  ok: "backups.verified_ok",
  bad: "backups.verified_bad",
};

/** A day of the calendar with the result of its run; a day without one is empty. */
function Day({ day: { date, run, planned }, backup: { id }, listed }: {
  day: BackupDay;
  backup: Backup;
  listed: ReadonlySet<string>;
}) {
  const number = Number(date.slice(8));
  if (run !== undefined) {
    const { runId, startedAt, state: ended, verified } = run;
    const { tone, word } = RUN_LOOKS[ended], check = CHECKS[verified];
    const state = check ? t("backups.day_checked", { state: words.t(word), check: t(check) }) : words.t(word);
    return (
      <a
        href={`${listed.has(runId) ? "" : runsHref(id, startedAt)}#${runAnchor(runId)}`}
        class="backup-day"
        data-tone={verified === "bad" ? "bad" : tone}
        data-verified={verified === "ok" ? "" : undefined}
        title={`${dayText(date)}: ${state}`}
      >
        {number}
        <span class="visually-hidden">{state}</span>
      </a>
    );
  }
  if (planned === undefined) return <span class="backup-day">{number}</span>;
  const next = t("backups.day_next", { when: formatWhen(planned) });
  return (
    <span class="backup-day" data-planned="" title={next}>
      {number}
      <span class="visually-hidden">{next}</span>
    </span>
  );
}

/** Props of {@link BackupCalendar}. */
export interface BackupCalendarProps {
  backup: Backup;
  /** How it went on each. */
  days: readonly BackupDayRun[];
  /** Ids of the runs that are on the page. */
  listed: ReadonlySet<string>;
  now: number;
}

/** The last weeks of a backup: how it went on each day, and when it runs next. */
export function BackupCalendar({ backup, days, listed, now }: BackupCalendarProps) {
  const weeks = calendarOf(backup, days, now);
  return (
    <Panel
      title={t("backups.calendar", {
        from: dayText(weeks[0]![0]!.date),
        to: dayText(weeks.at(-1)!.at(-1)!.date),
      })}
    >
      <table class="backup-calendar">
        <thead>
          <tr>{WEEKDAYS.map((day) => <th key={day} scope="col">{weekdayName(day)}</th>)}</tr>
        </thead>
        <tbody>
          {weeks.map((week) => (
            <tr key={week[0]!.date}>
              {week.map((day) => (
                <td key={day.date} aria-current={day.today ? "date" : undefined}>
                  <Day day={day} backup={backup} listed={listed} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <p class="pad text-muted">{t("backups.calendar_key")}</p>
    </Panel>
  );
}
