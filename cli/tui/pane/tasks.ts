/** Tasks: how far they are, and a way to stop them. */
import { isOpenJob, type Job, type JobLine } from "../../../lib/contract/mod.ts";
import { formatAgo, formatClock } from "../../../lib/text/time.ts";
import { duration } from "../../verb/cells.ts";
import { headingHere, wordHere } from "../../verb/words.ts";
import { type TextColumn, widest } from "../columns.ts";
import type { Desk } from "../desk.ts";
import type { Style } from "../line.ts";
import type { Binding, PaneArea } from "../pane.ts";
import { agoColumns, bar } from "../state_cell.ts";
import { ConfirmPane } from "./confirm.ts";
import { TablePane } from "./table.ts";
import { tui } from "../../../lib/i18n/en/tui.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";

const { t } = textsOf(tui);

const STYLES: Readonly<Record<Job["state"], Style>> = {
  queued: "dim",
  running: "info",
  done: "ok",
  failed: "bad",
  cancelled: "warn",
  interrupted: "bad",
};

export class TasksPane extends TablePane<Job> {
  constructor(private readonly desk: Desk) {
    super();
  }

  get title(): string {
    return t("tui.tasks");
  }

  protected override rows(search: string): readonly Job[] {
    const wanted = search.toLowerCase();
    return this.desk.data.jobs.filter(({ title, state, actor, command }) =>
      wanted === "" ||
      [title, state, wordHere(state), actor, command].join("\n").toLowerCase().includes(wanted)
    );
  }

  protected override idOf({ id }: Job): string {
    return id;
  }

  protected override columns({ look: { glyphs }, now }: PaneArea): readonly TextColumn<Job>[] {
    const words = widest(Object.keys(STYLES).map(wordHere), glyphs), ago = agoColumns(glyphs);
    return [
      {
        title: headingHere("STATE"),
        least: words,
        most: words,
        order: 1,
        cell: ({ state }) => ({ text: wordHere(state), style: STYLES[state] }),
      },
      { title: headingHere("TASK"), least: 22, most: 90, order: 0, cell: ({ title }) => ({ text: title }) },
      {
        title: headingHere("PROGRESS"),
        least: 16,
        most: 16,
        order: 2,
        cell: (job) => ({
          text: isOpenJob(job) && job.progress !== null
            ? `${bar(job.progress, 10, glyphs)} ${Math.floor(job.progress * 100)} %`
            : "",
        }),
      },
      {
        title: headingHere("LEFT"),
        least: 7,
        most: 8,
        order: 4,
        cell: ({ secondsLeft }) => ({ text: secondsLeft === null ? "" : duration(secondsLeft) }),
      },
      {
        title: headingHere("STARTED"),
        least: ago,
        most: ago,
        order: 3,
        cell: ({ startedAt }) => ({ text: formatAgo(startedAt, now) }),
      },
      { title: headingHere("BY"), least: 8, most: 16, order: 5, cell: ({ actor }) => ({ text: actor }) },
    ];
  }

  protected override actions(job: Job | undefined): readonly Binding[] {
    if (job === undefined) return [];
    const isStoppable = isOpenJob(job) && job.cancellable && !job.cancelling;
    return [
      { keys: ["enter"], label: t("tui.key.log"), run: () => this.opened(job) },
      ...(isStoppable ? [{ keys: ["x"], label: t("tui.key.stop"), run: () => this.#cancel(job) }] : []),
    ];
  }

  protected override opened({ id, title }: Job): void {
    const { desk } = this;
    const mark = desk.mark();
    desk.async(t("tui.said.reading_log", { title }), async () => {
      const { job, log } = await desk.server.call("get_job", { jobId: id }) as { job: Job; log: JobLine[] };
      const lines = [
        job.title,
        t("tui.task.state_by", { state: wordHere(job.state), actor: job.actor }),
        ...(job.error === null ? [] : [job.error.message]),
        "",
        ...log.map(({ at, text }) => `${formatClock(at)}  ${text}`),
      ];
      desk.show(t("tui.task"), lines.join("\n"), mark);
    });
  }

  protected override empty(search: string): string {
    return search === "" ? t("tui.none.tasks") : t("tui.none.task_search", { text: search });
  }

  #cancel({ id, title }: Job): void {
    const { desk } = this;
    const pane: ConfirmPane = new ConfirmPane({
      text: t("tui.ask.stop", { title }),
      note: t("tui.ask.undone"),
      yes: t("tui.key.stop"),
      run: () =>
        desk.work({
          name: "cancel_job",
          input: { jobId: id },
          doing: t("tui.said.stopping", { title }),
          done: () => t("tui.said.asked_to_stop", { title }),
        }),
    }, () => desk.close(pane));
    desk.open(pane);
  }
}
