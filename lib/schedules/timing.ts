/** When a schedule runs, and what is given of it. */
import type { ScheduleFrequency, Weekday } from "../contract/schedules.ts";

/** When something runs, with nothing left open. Times of day and dates are those of the time zone. */
export type Timing =
  & { readonly timeZone: string }
  & (
    | { readonly frequency: "once"; readonly at: string }
    | { readonly frequency: "daily"; readonly time: string }
    | { readonly frequency: "weekly"; readonly time: string; readonly weekdays: readonly Weekday[] }
    | { readonly frequency: "monthly"; readonly time: string; readonly monthDay: number }
    | { readonly frequency: "cron"; readonly cron: string }
  );

/** The same as it is given. */
export interface TimingFields {
  readonly frequency: ScheduleFrequency;
  readonly at?: string;
  readonly time?: string;
  readonly weekdays?: readonly Weekday[];
  readonly monthDay?: number;
  readonly cron?: string;
  readonly timeZone?: string;
}
