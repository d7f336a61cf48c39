/** Schedules in words. Pure; pages and islands use it. */
import { DAY_MS } from "../duration.ts";
import type {
  Schedule,
  ScheduleFrequency,
  ScheduleRun,
  ScheduleRunState,
  Weekday,
} from "../contract/schedules.ts";
import { perLocale } from "../i18n/locale.ts";
import { schedules } from "../i18n/en/schedules.ts";
import { type PlainKeyOf, textsOf } from "../i18n/mod.ts";
import { zone } from "../i18n/locale.ts";
import { oneLine } from "../text/text.ts";

const { t, plural } = textsOf(schedules);

/** Address of the page of a schedule. */
export const scheduleHref = (id: string): string => `/schedules/${encodeURIComponent(id)}`;

// The 5th of January 2026 is a Monday.
const MONDAY = Date.UTC(2026, 0, 5, 12);
const ORDER: readonly Weekday[] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const weekdays = perLocale((language) =>
  new Intl.DateTimeFormat(language, { weekday: "short", timeZone: "UTC" })
);

/** A day of the week, short. */
export function weekdayName(day: Weekday): string {
  return weekdays().format(MONDAY + ORDER.indexOf(day) * DAY_MS);
}

/** Fields of a schedule's times. */
type When = Pick<Schedule, "frequency" | "at" | "time" | "weekdays" | "monthDay" | "cron" | "timeZone">;

/** When a schedule runs: `Daily at 03:30`; with its zone where that is not the page's. */
export function scheduleWhenText(schedule: When): string {
  const text = timingText(schedule), { timeZone } = schedule;
  return timeZone === zone() ? text : t("schedules.in_zone", { when: text, zone: timeZone });
}

function timingText(
  { frequency, at = "", time = "", weekdays = [], monthDay = 1, cron = "" }: Omit<When, "timeZone">,
): string {
  switch (frequency) {
    case "once":
      return t("schedules.once", { date: at.slice(0, 10), time: at.slice(11, 16) });
    case "daily":
      return t("schedules.daily", { time });
    case "weekly":
      return t("schedules.weekly", { days: weekdays.map(weekdayName).join(", "), time });
    case "monthly":
      return monthDay === 31
        ? t("schedules.monthly_last", { time })
        : t("schedules.monthly", { day: monthDay, time });
    case "cron":
      return t("schedules.cron", { cron });
  }
}

/** Each action in words. */
export const ACTION_WORDS = {
  start: "schedules.action.start",
  stop: "schedules.action.stop",
  reboot: "schedules.action.reboot",
  snapshot: "schedules.action.snapshot",
  backup: "schedules.action.backup",
} as const;

/** Action of a schedule: `Shut down, force off after 120 s`. */
export function actionText({ action, force, deadlineSeconds, keep }: Schedule): string {
  const word = t(ACTION_WORDS[action]);
  if (action === "snapshot") return t("schedules.keeping", { action: word, n: keep });
  return action === "stop" && force
    ? t("schedules.forced", { action: word, seconds: deadlineSeconds })
    : word;
}

/** VMs of a schedule: `2 VMs, tag lab`. */
export function scheduleTargetsText(
  { action, targets: { vmIds, tags, groups, hidden } }:
    & Pick<Schedule, "targets">
    & Partial<Pick<Schedule, "action">>,
): string {
  if (action === "backup") return t("schedules.of_backup");
  return [
    ...(vmIds.length > 0 ? [plural("schedules.vms", vmIds.length)] : []),
    ...tags.map((name) => t("schedules.tag", { name: oneLine(name, 40) })),
    ...groups.map((name) => t("schedules.group", { name: oneLine(name, 40) })),
    ...(hidden ? [t("schedules.hidden_targets")] : []),
  ].join(", ");
}

/** State of a run → how it looks. */
export const RUN_LOOKS: Readonly<
  Record<ScheduleRunState, {
    readonly word: PlainKeyOf<typeof schedules>;
    readonly icon: "loader" | "check" | "circleAlert" | "close" | "alert" | "info";
    readonly tone: "info" | "ok" | "bad" | "off" | "warn";
  }>
> = {
  running: { word: "schedules.state.running", icon: "loader", tone: "info" },
  done: { word: "schedules.state.done", icon: "check", tone: "ok" },
  failed: { word: "schedules.state.failed", icon: "circleAlert", tone: "bad" },
  cancelled: { word: "schedules.state.cancelled", icon: "close", tone: "off" },
  interrupted: { word: "schedules.state.interrupted", icon: "alert", tone: "warn" },
  skipped: { word: "schedules.state.skipped", icon: "info", tone: "off" },
};

const COUNTS = {
  failed: "schedules.count.failed",
  forced: "schedules.count.forced",
  done: "schedules.count.done",
  unchanged: "schedules.count.unchanged",
} as const;

/** How many VMs a run was for, by outcome: `1 failed, 3 done`. */
export function countsText({ counts }: ScheduleRun): string {
  return (Object.keys(COUNTS) as (keyof typeof COUNTS)[])
    .filter((outcome) => counts[outcome] > 0)
    .map((outcome) => plural(COUNTS[outcome], counts[outcome]))
    .join(", ");
}

/** Frequencies with their words. */
export const FREQUENCIES = {
  once: "schedules.frequency.once",
  daily: "schedules.frequency.daily",
  weekly: "schedules.frequency.weekly",
  monthly: "schedules.frequency.monthly",
  cron: "schedules.frequency.cron",
} as const satisfies Record<ScheduleFrequency, string>;
