/** Long work as something one can look at: how far it is, how long it will take, and a way to stop it. */
import Type, { type Static } from "typebox";
import { command } from "./command.ts";
import { toldHost } from "./on_host.ts";
import { closed, NOTHING_OUT, oneOf, SentenceText, Timestamp } from "./schema.ts";

/** `interrupted`: KVM Manager ended while it ran. */
export const JOB_STATES = ["queued", "running", "done", "failed", "cancelled", "interrupted"] as const;
export type JobState = typeof JOB_STATES[number];

/** Most jobs that are kept, of all accounts together. */
export const MOST_JOBS = 1000;

/** States in which a job is not over. */
export const isOpenJob = ({ state }: { state: JobState }): boolean =>
  state === "queued" || state === "running";

export const Job = Type.Object({
  id: Type.String(),
  command: Type.String({ description: "the command that is carried out" }),
  title: SentenceText({ description: "what is done, with its names" }),
  vmId: Type.Optional(Type.String({ description: "the VM it is about" })),
  subject: Type.Optional(
    Type.String({
      description: "the other thing it is about: a volume as pool/name, a VM's name, a host's id",
    }),
  ),
  ...toldHost,
  actor: Type.String({ description: "who asked for it" }),
  state: oneOf(JOB_STATES),
  waitsFor: Type.Optional(
    Type.Array(SentenceText(), { description: "titles of the jobs that it waits for, while it is queued" }),
  ),
  place: Type.Optional(
    Type.Integer({ minimum: 1, description: "its place in its queue, while it is queued: 1 is the next" }),
  ),
  progress: Type.Union([Type.Number({ minimum: 0, maximum: 1 }), Type.Null()], {
    description: "0 to 1; null while it cannot be told",
  }),
  doneBytes: Type.Union([Type.Integer(), Type.Null()]),
  totalBytes: Type.Union([Type.Integer(), Type.Null()]),
  startedAt: Timestamp,
  endedAt: Type.Union([Timestamp, Type.Null()]),
  secondsLeft: Type.Union([Type.Integer(), Type.Null()], {
    description: "at the speed it has now; null while it cannot be told",
  }),
  error: Type.Union([Type.Object({ code: Type.String(), message: SentenceText() }), Type.Null()]),
  cancellable: Type.Boolean(),
  cancelling: Type.Boolean({ description: "it was asked to stop, and undoes what it did" }),
});
export type Job = Static<typeof Job>;

/** A line of a job's log. */
export const JobLine = Type.Object({ at: Timestamp, text: SentenceText() });
export type JobLine = Static<typeof JobLine>;

const JobId = Type.String({ minLength: 1, maxLength: 64, description: "id of the job" });

export const jobCommands = {
  list_jobs: command({
    summary: "List long work, what runs first, then the newest",
    description: "The newest 200 of each account are kept.",
    role: "viewer",
    permission: "signed-in",
    input: closed({
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MOST_JOBS, default: 50 })),
      open: Type.Optional(Type.Boolean({ default: false, description: "only what waits or runs" })),
    }),
    output: Type.Array(Job),
    errors: [],
    route: "GET /jobs",
    cli: ["job", "list"],
    lookup: { fields: ["jobId"], by: "id", more: "title", missing: "JobNotFound" },
    examples: ["kvm-manager job list --open --watch"],
    hides: "other-jobs",
    columns: ["id", "state", "title", "progress", "secondsLeft", "startedAt"],
    wide: ["actor", "doneBytes", "totalBytes", "endedAt", "error"],
    readOnly: true,
    withoutLibvirt: true,
  }),
  get_job: command({
    summary: "Show a job with its log",
    role: "viewer",
    permission: "signed-in",
    input: closed({ jobId: JobId }),
    output: Type.Object({ job: Job, log: Type.Array(JobLine) }),
    errors: ["JobNotFound"],
    route: "GET /jobs/{jobId}",
    cli: ["job", "show", "<jobId>"],
    hides: "job-of-other-vms",
    readOnly: true,
    withoutLibvirt: true,
  }),
  cancel_job: command({
    summary: "Stop a job and undo what it did so far",
    description: "Answers at once; the job is over when its state says so.",
    role: "operator",
    permission: "signed-in",
    input: closed({ jobId: JobId }),
    output: NOTHING_OUT,
    errors: ["JobNotFound", "JobOver", "JobNotCancellable", "Forbidden"],
    route: "POST /jobs/{jobId}/cancel",
    cli: ["job", "cancel", "<jobId>"],
    readOnly: false,
    withoutLibvirt: true,
  }),
};
