/** Long work from the command line: its progress is shown while the answer is waited for, or it is left to itself. */
import { ApiError } from "../../lib/client/api.ts";
import { isOpenJob, type Job, MOST_JOBS } from "../../lib/contract/mod.ts";
import { shell } from "../../lib/i18n/en/shell.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { message, render } from "../../lib/i18n/message.ts";
import { messageOf } from "../../lib/text/message.ts";
import type { Server } from "../connect/server.ts";
import { follow } from "../events.ts";
import type { Terminal } from "../terminal.ts";
import { ProgressDisplay } from "./progress.ts";
import { wordHere } from "./words.ts";

const { t } = textsOf(shell);

/** Result of a command: its answer, or the job that continues in the background. */
export type VerbOutcome = { readonly answer: unknown } | { readonly job: Job };

/** Milliseconds that work may take to become a job that can be told, for who does not wait. */
const APPEARS_MS = 10_000;

/** Text on a job that continues in the background. */
export function leftAlone({ id }: Pick<Job, "id">): string {
  return t("shell.goes_on", {
    id,
    show: `kvm-manager job show ${id}`,
    cancel: `kvm-manager job cancel ${id}`,
  });
}

/** Events of the jobs that begin from now on. Resolves once nothing can be missed any more. */
async function listen(
  server: Server,
  onJob: (job: Job) => void,
  signal: AbortSignal,
): Promise<{ readonly reading: Promise<void> }> {
  const { promise: opened, resolve, reject } = Promise.withResolvers<void>();
  const reading = (async () => {
    for await (const event of follow(server, signal)) {
      if (event === "opened") resolve();
      else if (event.name === "job-changed" || event.name === "job-progress") onJob(event.data.job);
    }
  })();
  reading.catch(reject);
  await opened;
  return { reading };
}

/**
 * Carries out a command that is a job, and shows how far it is.
 *
 * @param wait false: gives the job as soon as there is one
 * @param onJob told of the job once it is there
 * @throws {ApiError}
 */
export async function carryOutLong(
  server: Server,
  name: string,
  input: unknown,
  { wait, terminal, onJob }: { wait: boolean; terminal: Terminal; onJob: (job: Job) => void },
): Promise<VerbOutcome> {
  const stop = new AbortController();
  const display = new ProgressDisplay(terminal);
  const appeared = Promise.withResolvers<VerbOutcome>();
  let own: string | undefined;
  try {
    const me = await server.call("get_session", {}) as { name: string };
    // The same command may run already, by the same hand.
    const others = new Set(
      (await server.call("list_jobs", { open: true, limit: MOST_JOBS }) as Job[]).map(({ id }) => id),
    );
    const { reading } = await listen(server, (job) => {
      own ??= job.command === name && job.actor === me.name && isOpenJob(job) && !others.has(job.id)
        ? job.id
        : undefined;
      if (job.id !== own) return;
      onJob(job);
      if (!wait) appeared.resolve({ job });
      else if (isOpenJob(job)) display.update(job);
    }, stop.signal);
    // The stream may end before the work does; the answer still comes.
    reading.catch((error) => terminal.show(`${t("shell.progress_lost", { reason: messageOf(error) })}\n`));
    const answering = server.call(name, input).then((answer): VerbOutcome => ({ answer }));
    if (wait) return await answering;
    const limit = setTimeout(
      () =>
        appeared.reject(
          new ApiError("Internal", t("shell.no_job_yet", { command: "kvm-manager job list" })),
        ),
      APPEARS_MS,
    );
    // An error it has at once is told; what comes later is the job's.
    const outcome = await Promise.race([answering, appeared.promise]).finally(() => clearTimeout(limit));
    answering.catch(() => {/* the job reports it; it is not awaited here */});
    return outcome;
  } finally {
    stop.abort();
    display.end();
  }
}

/** Waits for the end of a job that goes on by itself. @throws {ApiError} the job's own error */
export async function waitForJob(server: Server, jobId: string, terminal: Terminal): Promise<Job> {
  const stop = new AbortController();
  const display = new ProgressDisplay(terminal);
  const ended = Promise.withResolvers<Job>();
  const look = (job: Job) => isOpenJob(job) ? display.update(job) : ended.resolve(job);
  try {
    const { reading } = await listen(server, (job) => job.id === jobId && look(job), stop.signal);
    const broken = new ApiError(
      "Unreachable",
      t("shell.connection_broke", { what: leftAlone({ id: jobId }) }),
    );
    reading.then(() => ended.reject(broken), () => ended.reject(broken));
    // It may have ended before anybody listened.
    const { job } = await server.call("get_job", { jobId }) as { job: Job };
    look(job);
    const done = await ended.promise;
    if (done.state === "done") return done;
    throw new ApiError(
      done.error?.code ?? "JobCancelled",
      done.error?.message ?? render(message`the job is ${wordHere(done.state)}`),
    );
  } finally {
    stop.abort();
    display.end();
  }
}
