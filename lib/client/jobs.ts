/** Long work as this page knows it: what it was rendered with, kept by its event stream. In the browser alone. */
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { Job, JobState } from "../contract/mod.ts";
import { t } from "../i18n/mod.ts";
import { report, reportFailure } from "./toasts.ts";

/** Most jobs kept. */
const KEPT = 200;
/** States that need no more looking at. */
const OVER: ReadonlySet<JobState> = new Set(["done", "failed", "cancelled", "interrupted"]);

/** Whether a job waits or runs. */
export const isOpen = ({ state }: Job): boolean => !OVER.has(state);

const known = signal<ReadonlyMap<string, Job>>(new Map());

/** All jobs: the open ones first, then the newest. */
const list = computed<readonly Job[]>(() =>
  [...known.value.values()].sort((a, b) =>
    Number(isOpen(b)) - Number(isOpen(a)) || b.startedAt - a.startedAt || (a.id < b.id ? 1 : -1)
  )
);

/** How an end is told. Cancelling is a person's own doing: it is told as done. */
function tell({ title, state, error }: Job): void {
  if (state === "done" || state === "cancelled") {
    report(t(state === "done" ? "tasks.done" : "tasks.cancelled", { title }));
  } else if (error !== null) reportFailure({ sentence: t("tasks.failed", { title }) }, error);
}

/** Result of a command, or the job that continues it. */
export type ResultOrJob<T> = { readonly result: T } | { readonly job: Job };

/** The page's jobs. */
export const pageJobs = {
  list: list as ReadonlySignal<readonly Job[]>,
  open: computed(() => list.value.filter(isOpen).length),
  /** Ids and states of all tasks: a change of it means that tasks have changed data. */
  sign: computed(() => list.value.map(({ id, state }) => `${id} ${state}`).join(" ")),

  /** Takes in what was fetched; what an event told meanwhile is newer. */
  seed(fetched: readonly Job[]): void {
    const next = new Map(fetched.map((job) => [job.id, job]));
    for (const [id, job] of known.peek()) {
      const other = next.get(id);
      if (other === undefined || !isOpen(job) || isOpen(other)) next.set(id, job);
    }
    known.value = new Map([...next].slice(0, KEPT));
  },

  /** Takes in what an event tells, and says so when a job is over. */
  put(job: Job): void {
    const before = known.peek().get(job.id);
    known.value = new Map(known.peek()).set(job.id, job);
    if (!isOpen(job) && (before === undefined || isOpen(before))) tell(job);
  },

  /**
   * Waits for work that becomes a job: until the job is told of, which tells its end as well, or until the work is over.
   *
   * @param isIts whether a job that is new is the work's
   * @throws what the work fails with before it is a job
   */
  async begun<T>(work: Promise<T>, isIts: (job: Job) => boolean): Promise<ResultOrJob<T>> {
    const before = known.peek();
    let stop = () => {};
    const job = new Promise<ResultOrJob<T>>((resolve) => {
      stop = list.subscribe((all) => {
        const its = all.find((each) => !before.has(each.id) && isIts(each));
        if (its !== undefined) resolve({ job: its });
      });
    });
    return await Promise.race([work.then((result) => ({ result })), job]).finally(stop);
  },
};
