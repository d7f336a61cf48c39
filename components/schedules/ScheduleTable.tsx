import { CoverNote } from "../coverage/CoverNote.tsx";
import { sendsForm } from "../../lib/client/send_form.ts";
import type { Schedule } from "../../lib/contract/mod.ts";
import {
  actionText,
  scheduleHref,
  scheduleTargetsText,
  scheduleWhenText,
} from "../../lib/schedules/describe.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { oneLine } from "../../lib/text/text.ts";
import { schedules as texts } from "../../lib/i18n/en/schedules.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { formatWhen } from "../../lib/text/time.ts";
import { DataTable } from "../kit/DataTable.tsx";
import { RelativeTime } from "../kit/RelativeTime.tsx";
import { SwitchForm } from "../kit/SwitchForm.tsx";
import { RunState } from "./RunState.tsx";

const { t } = textsOf(texts);
const AT = "/schedules";

/** Props of {@link ScheduleTable}. */
export interface ScheduleTableProps {
  schedules: readonly Schedule[];
  /** Milliseconds since 1970. */
  now: number;
  /** Called after something was done to one. */
  onSent: () => Promise<void>;
}

/** When it runs next, by the clocks of its own time zone. */
function Next({ schedule: { enabled, next: [first] } }: { schedule: Schedule }) {
  if (!enabled) return <span class="text-muted">{t("schedules.off")}</span>;
  if (first === undefined) return <span class="text-muted">{t("schedules.none_left")}</span>;
  return (
    <span class="stack">
      <time dateTime={new Date(first).toISOString()}>{formatWhen(first)}</time>
    </span>
  );
}

function Last({ schedule: { lastRun }, now }: { schedule: Schedule; now: number }) {
  if (lastRun === null) return <span class="text-muted">{t("schedules.never")}</span>;
  return (
    <span class="stack">
      <RunState run={lastRun} />
      <span class="text-muted">
        <RelativeTime at={lastRun.startedAt} now={now} />
      </span>
    </span>
  );
}

/** The list of schedules. */
export function ScheduleTable({ schedules, now, onSent }: ScheduleTableProps) {
  const sends = (failed: string) => sendsForm(failed, () => void onSent());
  return (
    <div class="panel">
      <DataTable
        label={t("schedules.title")}
        rows={schedules}
        keyOf={({ id }) => id}
        attributesOf={({ id }) => ({ "data-schedule": id })}
        columns={[
          {
            title: t("schedules.name"),
            cell: ({ id, name }) => (
              <a href={scheduleHref(id)}>
                <bdi>{oneLine(name, 60)}</bdi>
              </a>
            ),
          },
          { title: t("schedules.what"), cell: actionText },
          {
            title: t("schedules.targets"),
            fit: "wrap",
            cell: (schedule) => (
              <>
                {scheduleTargetsText(schedule)}
                <CoverNote of={schedule} />
              </>
            ),
          },
          { title: t("schedules.when"), fit: "wrap", cell: scheduleWhenText },
          { title: t("schedules.next"), cell: (schedule) => <Next schedule={schedule} /> },
          { title: t("schedules.last"), cell: (schedule) => <Last schedule={schedule} now={now} /> },
          {
            title: t("schedules.switch_title"),
            cell: ({ id, name, enabled }) => (
              <SwitchForm
                action={formHref("enable_schedule", { scheduleId: id, enabled: !enabled }, AT)}
                onSubmit={sends(t("schedules.failed"))}
                checked={enabled}
                label={t("schedules.switch", { name })}
                word={enabled ? t("schedules.on") : t("schedules.off")}
                disabled={false}
              />
            ),
          },
          {
            title: t("schedules.actions"),
            kind: "actions",
            cell: ({ id, name, running }) => (
              <form
                method="post"
                action={formHref("run_schedule_now", { scheduleId: id }, AT)}
                onSubmit={sends(t("schedules.run_failed"))}
              >
                <button
                  type="submit"
                  class="button small"
                  aria-label={t("schedules.run_of", { name })}
                  disabled={running}
                >
                  {t("schedules.run")}
                </button>
              </form>
            ),
          },
        ]}
      />
    </div>
  );
}
