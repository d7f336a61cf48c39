/** Work that a page does not wait for to its end. */
import type { CommandName } from "../../lib/contract/mod.ts";
import type { PageState } from "../../lib/page_state.ts";
import { jobHref } from "../../lib/text/job_href.ts";

/** Whether work was done within so many milliseconds; its later result is not used here. @throws what it fails with */
export async function finishesWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<false>((resolve) => timer = setTimeout(() => resolve(false), ms));
  const done = await Promise.race([work.then(() => true), limit]).finally(() => clearTimeout(timer));
  if (!done) work.catch(() => {/* told by its job, or by the next look */});
  return done;
}

/** Outcome of work that a page has begun: its result, or the page of the task that goes on with it. */
export type LongWork<T> = { readonly isOver: true; readonly result: T } | {
  readonly isOver: false;
  readonly href: string;
};

/** Begins the work of a command, and waits for it for so many milliseconds. @throws what it fails with by then */
export async function begin<T>(
  api: PageState["api"],
  command: CommandName,
  ms: number,
  work: () => Promise<T>,
): Promise<LongWork<T>> {
  const since = Date.now(), running = work();
  return await finishesWithin(running, ms)
    ? { isOver: true, result: await running }
    : { isOver: false, href: await taskHref(api, command, since) };
}

/** The page of the task that a command of this session has begun since then; the list of tasks where none is found. */
export async function taskHref(
  api: PageState["api"],
  command: CommandName,
  since: number,
): Promise<string> {
  const [{ name }, jobs] = await Promise.all([api.getSession(), api.listJobs({ limit: 200 })]);
  const task = jobs.find((job) => job.command === command && job.actor === name && job.startedAt >= since);
  return task === undefined ? "/tasks" : jobHref(task.id);
}
