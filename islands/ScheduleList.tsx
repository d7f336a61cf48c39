import { computed } from "@preact/signals";
import { ScheduleTable } from "../components/schedules/ScheduleTable.tsx";
import { api } from "../lib/client/api.ts";
import { pageJobs } from "../lib/client/jobs.ts";
import { whenChanged } from "../lib/client/query.ts";
import { useQuery } from "../lib/client/use_query.ts";
import type { Schedule } from "../lib/contract/mod.ts";

/** Milliseconds between looks: when a schedule is due next has no event. */
const LOOK_MS = 30_000;

/** The runs of schedules and how they are: each change is one of the list's. */
const runs = computed(() =>
  pageJobs.list.value.filter(({ command }) => command === "run_schedule_now").map(({ id, state }) =>
    `${id} ${state}`
  )
    .join(" ")
);

/** Props of {@link ScheduleList}. */
export interface ScheduleListProps {
  list: readonly Schedule[];
  /** When the page was rendered; milliseconds since 1970. */
  now: number;
}

/** The list of schedules, live. */
export default function ScheduleList({ list, now }: ScheduleListProps) {
  const { value, reread } = useQuery<{ readonly list: readonly Schedule[]; readonly now: number }>({
    first: { list, now },
    read: async () => ({ list: await api.listSchedules(), now: Date.now() }),
    follow: whenChanged(runs),
    everyMs: LOOK_MS,
  });
  return <ScheduleTable schedules={value.value.list} now={value.value.now} onSent={reread} />;
}
