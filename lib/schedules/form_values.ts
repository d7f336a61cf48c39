/** A schedule as the fields of its form. Pure. */
import type { Schedule } from "../contract/mod.ts";

/** Initial values of the form, by the names of its fields. */
export type ScheduleValues = Readonly<Record<string, string>>;

/** A schedule as the fields of the form. */
export function scheduleValues({ targets, weekdays = [], ...rest }: Schedule): ScheduleValues {
  const listed = (name: string, values: readonly string[]) =>
    values.map((value, index) => [`${name}.${index}`, value]);
  const plain = [
    "name",
    "action",
    "frequency",
    "at",
    "time",
    "monthDay",
    "cron",
    "timeZone",
    "deadlineSeconds",
    "keep",
    "backupId",
  ] as const;
  return Object.fromEntries([
    ...[...plain, "missed" as const].flatMap((name) =>
      rest[name] === undefined ? [] : [[name, String(rest[name])]]
    ),
    ["force", rest.force ? "yes" : "no"],
    ["enabled", rest.enabled ? "yes" : "no"],
    ["targets.tags", targets.tags.join(" ")],
    ...listed("targets.vmIds", targets.vmIds),
    ...listed("targets.groups", targets.groups),
    ...listed("weekdays", weekdays),
  ]);
}

/** Ticked values of a list, regardless of its rows' numbers. */
export function tickedIn(values: ScheduleValues, name: string): ReadonlySet<string> {
  return new Set(Object.entries(values).flatMap(([key, value]) => key.startsWith(`${name}.`) ? [value] : []));
}
