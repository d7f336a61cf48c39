import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
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
import { jobHref } from "../../lib/text/job_href.ts";
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

/** Milliseconds between two looks at the log of a job that runs, while it is open. */
const LOG_MS = 2000;

/** A job's log, read when it is opened and as the job moves on. @param told what the page was rendered with, open */
function Log({ job, told }: { job: Job; told: readonly JobLine[] | undefined }) {
  const isShown = useSignal(told !== undefined);
  const lines = useSignal<readonly JobLine[] | null>(told ?? null);
  useEffect(() => {
    if (!isShown.value) return;
    const read = () =>
      api.getJob({ jobId: job.id }).then(
        ({ log }) => lines.value = log,
        (error) => {
          clearInterval(timer);
          reportFailure({ sentence: t("jobs.log_failed") }, error);
        },
      );
    const timer = isOpen(job) ? setInterval(() => document.hidden || void read(), LOG_MS) : undefined;
    void read();
    return () => clearInterval(timer);
  }, [isShown.value, job.state, job.cancelling]);
  return (
    <details
      class={told === undefined ? "job-log needs-script" : "job-log"}
      open={told !== undefined}
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

/** One piece of long work. Cancelling it is a plain form without script. @param log of the page that is about this one */
export function JobItem({ job, log }: { job: Job; log?: readonly JobLine[] | undefined }) {
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
          {job.place !== undefined && <span>{t("jobs.place", { place: job.place })}</span>}
          {job.waitsFor !== undefined && job.waitsFor.length > 0 && (
            <span>{t("jobs.waits_for", { what: oneLine(job.waitsFor.join(", "), 200) })}</span>
          )}
          {figures(job).map((figure) => <span key={figure}>{figure}</span>)}
          <time dateTime={new Date(job.startedAt).toISOString()}>{formatMoment(job.startedAt)}</time>
          <span>{t("jobs.by", { actor: job.actor })}</span>
          {job.host !== undefined && job.host !== LOCAL_HOST && (
            <span data-host>{t("jobs.on", { host: oneLine(job.host, 64) })}</span>
          )}
        </p>
        {job.error && <p class="error-text">{job.error.message}</p>}
        <Log job={job} told={log} />
        {log === undefined && <a class="noscript-only" href={jobHref(job.id)}>{t("jobs.log")}</a>}
      </div>
      {open && job.cancellable && (
        <form
          method="post"
          action={formHref("cancel_job", { jobId: job.id }, log === undefined ? "/tasks" : jobHref(job.id))}
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
