import { CoverNote } from "../../../components/coverage/CoverNote.tsx";
import { page } from "fresh";
import { Head } from "fresh/runtime";
import { DataTable, stacked } from "../../../components/kit/DataTable.tsx";
import { Fact } from "../../../components/kit/Fact.tsx";
import { Panel } from "../../../components/kit/Panel.tsx";
import { SwitchForm } from "../../../components/kit/SwitchForm.tsx";
import { RunState } from "../../../components/schedules/RunState.tsx";
import { NextRuns } from "../../../components/schedules/NextRuns.tsx";
import type { ScheduleRun } from "../../../lib/contract/mod.ts";
import {
  actionText,
  countsText,
  scheduleHref,
  scheduleTargetsText,
  scheduleWhenText,
} from "../../../lib/schedules/describe.ts";
import { formHref } from "../../../lib/text/form_href.ts";
import { jobHref } from "../../../lib/text/job_href.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { formatSpan } from "../../../lib/text/time.ts";
import { schedules as texts } from "../../../lib/i18n/en/schedules.ts";
import { type PlainKeyOf, t, textsOf } from "../../../lib/i18n/mod.ts";
import { formatWhen } from "../../../lib/text/time.ts";
import { MOST_JOBS } from "../../../lib/contract/jobs.ts";
import { define } from "../../../lib/page_state.ts";
import { fail, unlessAway } from "../../(_shared)/fail.ts";

const area = textsOf(texts);

const MISSED = { "skip": "schedules.missed.skip", "run-once": "schedules.missed.run-once" } as const;
const OUTCOMES: Readonly<Record<ScheduleRun["results"][number]["outcome"], PlainKeyOf<typeof texts>>> = {
  done: "schedules.outcome.done",
  unchanged: "schedules.outcome.unchanged",
  forced: "schedules.outcome.forced",
  failed: "schedules.outcome.failed",
};

export const handler = define.handlers({
  async GET({ state, params }) {
    const { api } = state, scheduleId = params.id ?? "";
    const [schedule, runs, jobs, vms] = await Promise.all([
      api.getSchedule({ scheduleId }),
      api.getScheduleHistory({ scheduleId, limit: 50 }),
      api.listJobs({ limit: MOST_JOBS }),
      api.getVms().catch(unlessAway),
    ]).catch(fail);
    const chosen = new Set(schedule.targets.vmIds);
    state.subject = schedule.name;
    return page({
      schedule,
      runs,
      tasks: new Set(jobs.map(({ id }) => id)),
      vms: (vms ?? []).filter(({ id }) => chosen.has(id)),
    });
  },
});

/** Result of a run: the counts, and the result of each VM when opened. */
function Result({ run }: { run: ScheduleRun }) {
  const { message, results } = run, sum = countsText(run);
  const why = message === null ? null : <span class="schedule-why">{oneLine(message, 300)}</span>;
  if (results.length === 0) return why;
  return (
    <details class="schedule-results">
      <summary>{sum}</summary>
      {why}
      {stacked(results.map(({ name, outcome, message: more }) =>
        `${oneLine(name, 60)}: ${area.t(OUTCOMES[outcome])}${
          more === undefined ? "" : ` – ${oneLine(more, 200)}`
        }`
      ))}
    </details>
  );
}

/** One schedule: what it does, when it will, and how it went. */
export default define.page<typeof handler>(function SchedulePage({ data: { schedule, runs, tasks, vms } }) {
  const { id, name, enabled, timeZone, next, running, runsAs, missed } = schedule;
  const here = scheduleHref(id);
  return (
    <>
      <Head>
        <title>{t("title.page", { page: name })}</title>
      </Head>
      <header class="page-head">
        <h1>
          <bdi>{oneLine(name, 100)}</bdi>
        </h1>
        <SwitchForm
          action={formHref("enable_schedule", { scheduleId: id, enabled: !enabled }, here)}
          checked={enabled}
          label={area.t("schedules.switch", { name })}
          word={enabled ? area.t("schedules.on") : area.t("schedules.off")}
          disabled={false}
        />
        <span class="actions">
          <a class="button" href={`${here}/edit`}>{area.t("schedules.edit")}</a>
          <form method="post" action={formHref("run_schedule_now", { scheduleId: id }, here)}>
            <button type="submit" class="button primary" disabled={running}>{area.t("schedules.run")}</button>
          </form>
        </span>
      </header>
      <div class="schedule-page">
        <Panel title={area.t("schedules.details")}>
          <dl class="description-list">
            <Fact label={area.t("schedules.what")}>{actionText(schedule)}</Fact>
            <Fact label={area.t("schedules.targets")}>
              {scheduleTargetsText(schedule)}
              {vms.length > 0 && (
                <ul class="schedule-vms">
                  {vms.map(({ id, name }) => (
                    <li key={id}>
                      <a href={`/vms/${encodeURIComponent(id)}`}>
                        <bdi>{oneLine(name, 60)}</bdi>
                      </a>
                    </li>
                  ))}
                </ul>
              )}
            </Fact>
            <Fact label={area.t("schedules.when")}>{scheduleWhenText(schedule)}</Fact>
            <Fact label={area.t("schedules.zone")}>{timeZone}</Fact>
            <Fact label={area.t("schedules.missed")}>{area.t(MISSED[missed])}</Fact>
            <Fact label={area.t("schedules.owner")}>
              {runsAs}
              <CoverNote of={schedule} />
            </Fact>
          </dl>
        </Panel>
        <Panel title={area.t("schedules.preview_title")}>
          {enabled
            ? <NextRuns next={next} timeZone={timeZone} />
            : <p class="text-muted pad">{area.t("schedules.off")}</p>}
        </Panel>
      </div>
      <Panel title={area.t("schedules.history")}>
        <DataTable
          label={area.t("schedules.history")}
          rows={runs}
          keyOf={(run) => run.id}
          empty={area.t("schedules.history_none")}
          attributesOf={({ state }) => ({ "data-run": state })}
          columns={[
            {
              title: area.t("schedules.due"),
              cell: ({ slot }) => slot === null ? area.t("schedules.by_hand") : formatWhen(slot),
            },
            { title: area.t("schedules.state"), cell: (run) => <RunState run={run} /> },
            { title: area.t("schedules.result"), fit: "wrap", cell: (run) => <Result run={run} /> },
            {
              title: area.t("schedules.started"),
              cell: ({ startedAt }) => formatWhen(startedAt),
            },
            {
              title: area.t("schedules.took"),
              cell: ({ startedAt, endedAt }) => endedAt === null ? null : formatSpan(endedAt - startedAt),
            },
            { title: area.t("schedules.actor"), cell: ({ actor }) => oneLine(actor, 40) },
            {
              title: area.t("schedules.task"),
              cell: ({ jobId }) =>
                jobId !== null && tasks.has(jobId)
                  ? <a href={jobHref(jobId)}>{area.t("schedules.task_show")}</a>
                  : null,
            },
          ]}
        />
      </Panel>
      <Panel title={area.t("schedules.delete")}>
        <p class="text-muted pad">{area.t("schedules.delete_what")}</p>
        <form
          method="post"
          class="form-actions"
          action={formHref("delete_schedule", { scheduleId: id }, "/schedules", here)}
        >
          <details class="edit">
            <summary class="button danger">{area.t("schedules.delete")}</summary>
            <button type="submit" class="button danger" name="confirmed" value="yes">
              {area.t("schedules.delete_sure", { name: oneLine(name, 40) })}
            </button>
          </details>
        </form>
      </Panel>
    </>
  );
});
