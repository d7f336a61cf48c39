/** Tasks: how far they are, and a way to stop them. */
import { isOpenJob, type Job, type JobLine } from "../../../lib/contract/mod.ts";
import { formatAgo, formatClock } from "../../../lib/text/time.ts";
import { duration } from "../../verb/cells.ts";
import type { TextColumn } from "../columns.ts";
import type { Desk } from "../desk.ts";
import type { Style } from "../line.ts";
import type { Binding, Place } from "../pane.ts";
import { bar } from "../state_cell.ts";
import { ConfirmPane } from "./confirm.ts";
import { TablePane } from "./table.ts";

const STYLES: Readonly<Record<Job["state"], Style>> = {
  queued: "dim",
  running: "info",
  done: "ok",
  failed: "bad",
  cancelled: "warn",
  interrupted: "bad",
};

export class TasksPane extends TablePane<Job> {
  readonly title = "Tasks";

  constructor(private readonly desk: Desk) {
    super();
  }

  protected override rows(search: string): readonly Job[] {
    const wanted = search.toLowerCase();
    return this.desk.data.jobs.filter(({ title, state, actor, command }) =>
      wanted === "" || [title, state, actor, command].join("\n").toLowerCase().includes(wanted)
    );
  }

  protected override idOf({ id }: Job): string {
    return id;
  }

  protected override columns({ look: { glyphs }, now }: Place): readonly TextColumn<Job>[] {
    return [
      {
        title: "STATE",
        least: 11,
        most: 11,
        order: 1,
        cell: ({ state }) => ({ text: state, style: STYLES[state] }),
      },
      { title: "TASK", least: 24, most: 90, order: 0, cell: ({ title }) => ({ text: title }) },
      {
        ...{ title: "PROGRESS", least: 16, most: 16, order: 2 },
        cell: (job) => ({
          text: isOpenJob(job) && job.progress !== null
            ? `${bar(job.progress, 10, glyphs)} ${Math.floor(job.progress * 100)} %`
            : "",
        }),
      },
      {
        ...{ title: "LEFT", least: 7, most: 8, order: 4 },
        cell: ({ secondsLeft }) => ({ text: secondsLeft === null ? "" : duration(secondsLeft) }),
      },
      {
        title: "STARTED",
        least: 12,
        most: 16,
        order: 3,
        cell: ({ startedAt }) => ({ text: formatAgo(startedAt, now) }),
      },
      { title: "BY", least: 8, most: 16, order: 5, cell: ({ actor }) => ({ text: actor }) },
    ];
  }

  protected override actions(job: Job | undefined): readonly Binding[] {
    if (job === undefined) return [];
    const isStoppable = isOpenJob(job) && job.cancellable && !job.cancelling;
    return [
      { keys: ["enter"], label: "log", run: () => this.opened(job) },
      ...(isStoppable ? [{ keys: ["x"], label: "stop it", run: () => this.#cancel(job) }] : []),
    ];
  }

  protected override opened({ id, title }: Job): void {
    const { desk } = this;
    const mark = desk.mark();
    desk.async(`Reading the log of ${title}…`, async () => {
      const { job, log } = await desk.server.call("get_job", { jobId: id }) as { job: Job; log: JobLine[] };
      const lines = [
        job.title,
        `${job.state}, by ${job.actor}`,
        ...(job.error === null ? [] : [job.error.message]),
        "",
        ...log.map(({ at, text }) => `${formatClock(at)}  ${text}`),
      ];
      desk.show("Task", lines.join("\n"), mark);
    });
  }

  protected override empty(search: string): string {
    return search === "" ? "No tasks yet." : `No task has "${search}". Esc ends the search.`;
  }

  #cancel({ id, title }: Job): void {
    const { desk } = this;
    const pane: ConfirmPane = new ConfirmPane({
      text: `Stop: ${title}?`,
      note: "What it did so far is undone.",
      yes: "stop it",
      run: () =>
        desk.work({
          ...{ name: "cancel_job", input: { jobId: id } },
          doing: `Stopping: ${title}…`,
          done: () => `Asked to stop: ${title}`,
        }),
    }, () => desk.close(pane));
    desk.open(pane);
  }
}
