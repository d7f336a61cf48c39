import { MINUTE_MS } from "../../lib/duration.ts";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api } from "../../lib/client/api.ts";
import { attempt } from "../../lib/client/run_action.ts";
import { isOpen } from "../../lib/client/jobs.ts";
import { reportFailure } from "../../lib/client/toasts.ts";
import type { Job, JobLine, JobState } from "../../lib/contract/mod.ts";
import { formatBytes } from "../../lib/text/quantity.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { oneLine } from "../../lib/text/text.ts";
import { formatClock, formatMoment, formatSpan } from "../../lib/text/time.ts";
import { jobs as texts } from "../../lib/i18n/en/jobs.ts";
import { type PlainKeyOf, textsOf } from "../../lib/i18n/mod.ts";
import { Icon } from "../kit/Icon.tsx";
import type { IconName } from "../kit/icons.ts";
import { JobBar } from "./JobBar.tsx";

const { t } = textsOf(texts);

/** State → how it looks. */
const LOOKS: Readonly<
  Record<JobState, { icon: IconName; tone: string; word: PlainKeyOf<typeof texts> }>
> = {
  queued: { icon: "pause", tone: "off", word: "jobs.state_queued" },
  running: { icon: "loader", tone: "info", word: "jobs.state_running" },
  done: { icon: "check", tone: "ok", word: "jobs.state_done" },
  failed: { icon: "circleAlert", tone: "bad", word: "jobs.state_failed" },
  cancelled: { icon: "close", tone: "off", word: "jobs.state_cancelled" },
  interrupted: { icon: "alert", tone: "warn", word: "jobs.state_interrupted" },
};

const COUNTED = 90;

/** How far, how much, how long: what is known of it. */
function figures({ state, progress, doneBytes, totalBytes, secondsLeft, startedAt, endedAt }: Job): string[] {
  if (state === "done" && endedAt !== null) {
    const took = endedAt - startedAt;
    return [
      ...(totalBytes !== null && totalBytes > 0 ? [formatBytes(totalBytes)] : []),
      ...(took >= MINUTE_MS ? [t("jobs.took", { span: formatSpan(took) })] : []),
    ];
  }
  if (state !== "running") return [];
  return [
    ...(progress !== null ? [t("jobs.percent", { percent: Math.floor(progress * 100) })] : []),
    ...(doneBytes !== null && totalBytes !== null && totalBytes > 0
      ? [t("jobs.bytes", { done: formatBytes(doneBytes), total: formatBytes(totalBytes) })]
      : []),
    ...(secondsLeft !== null
      ? [
        secondsLeft < COUNTED
          ? t("jobs.seconds_left", { seconds: secondsLeft })
          : t("jobs.left", { span: formatSpan(secondsLeft * 1000) }),
      ]
      : []),
  ];
}

/** A job's log, read when it is opened and again when the job has moved on. */
function Log({ job }: { job: Job }) {
  const isShown = useSignal(false);
  const lines = useSignal<readonly JobLine[] | null>(null);
  useEffect(() => {
    if (!isShown.value) return;
    api.getJob({ jobId: job.id }).then(
      ({ log }) => lines.value = log,
      (error) => reportFailure({ sentence: t("jobs.log_failed") }, error),
    );
  }, [isShown.value, job.state, job.cancelling]);
  return (
    <details
      class="job-log needs-script"
      onToggle={(event) => isShown.value = (event.currentTarget as HTMLDetailsElement).open}
    >
      <summary>{t("jobs.log")}</summary>
      {lines.value?.length === 0 && <p class="text-muted">{t("jobs.log_empty")}</p>}
      <ol>
        {lines.value?.map(({ at, text }, index) => (
          <li key={index}>
            <time dateTime={new Date(at).toISOString()}>{formatClock(at)}</time> <span>{text}</span>
          </li>
        ))}
      </ol>
    </details>
  );
}

/** One piece of long work. Cancelling it is a plain form without script. */
export function JobItem({ job }: { job: Job }) {
  const { icon, tone, word } = LOOKS[job.state];
  const title = oneLine(job.title, 160);
  const open = isOpen(job);
  const onCancel = (event: Event) => {
    event.preventDefault();
    attempt(t("jobs.cancel_failed"), () => api.cancelJob({ jobId: job.id }));
  };
  return (
    <li class="job" data-tone={tone}>
      <Icon name={icon} class={job.state === "running" ? "spin" : ""} />
      <div class="job-text">
        <p class="job-title">
          <bdi>{title}</bdi>
        </p>
        {open && <JobBar progress={job.progress} label={t("jobs.progress", { title })} />}
        <p class="job-facts">
          <strong>{job.cancelling ? t("jobs.state_cancelling") : t(word)}</strong>
          {figures(job).map((figure) => <span key={figure}>{figure}</span>)}
          <time dateTime={new Date(job.startedAt).toISOString()}>{formatMoment(job.startedAt)}</time>
          <span>{t("jobs.by", { actor: job.actor })}</span>
        </p>
        {job.error && <p class="error-text">{job.error.message}</p>}
        <Log job={job} />
      </div>
      {open && job.cancellable && (
        <form
          method="post"
          action={formHref("cancel_job", { jobId: job.id }, "/tasks")}
          onSubmit={onCancel}
        >
          <button
            type="submit"
            class="button small"
            disabled={job.cancelling}
            aria-label={t("jobs.cancel_of", { title })}
          >
            {t("jobs.cancel")}
          </button>
        </form>
      )}
    </li>
  );
}
