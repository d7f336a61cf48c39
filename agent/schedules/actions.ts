/** Carries out a schedule's action on its VMs, one after the other: a result for each, independent of the others. */
import type { Api } from "../../lib/contract/api.ts";
import {
  ContractError,
  type ErrorCode,
  type Schedule,
  type ScheduleAction,
  type ScheduleRun,
  type VM,
  type VmState,
} from "../../lib/contract/mod.ts";
import { message, type Sentence, type Unrendered, vmName } from "../../lib/i18n/message.ts";
import { isCovered } from "../../lib/coverage/coverage.ts";
import { type Clock, sleep } from "../clock.ts";
import type { JobHandle } from "../jobs/jobs.ts";
import { contractError } from "../libvirt/failure.ts";
import { batch } from "../vm/lifecycle/batch.ts";
import { type SnapshotApi, takeSnapshot } from "./snapshot.ts";

type Result = Unrendered<ScheduleRun["results"][number]>;
type Outcome = Omit<Result, "vmId" | "name">;

/** Milliseconds between looks whether the guests have shut down. */
const LOOK_MS = 500;
/** States in which a VM has its CPUs, so that it is not off. */
const ON: readonly VmState[] = ["running", "paused"];

/** Schedule and dependencies of a run. */
export interface Task {
  readonly schedule: Pick<Schedule, "id" | "name" | "targets" | "deadlineSeconds" | "force" | "keep"> & {
    readonly action: keyof typeof ACTIONS;
  };
  /** The commands as who it is done for. */
  readonly api: Pick<Api, "getVms" | "startVm" | "stopVm" | "rebootVm" | "forceStopVm"> & SnapshotApi;
  readonly job: Pick<JobHandle, "signal" | "log">;
  readonly clock: Clock;
  /** The state of a VM now; undefined where it is gone. */
  readonly stateOf: (vmId: string) => VmState | undefined;
  /** The VM's name, or its last one; undefined where that is not known. */
  readonly nameOf: (vmId: string) => string | undefined;
}

interface Rule {
  /** States in which there is nothing to do. */
  readonly unless: readonly VmState[];
  /** Error of the command where another caller was faster. */
  readonly already: ErrorCode;
  readonly run: (task: Task, vmId: string) => Promise<unknown>;
  /** The guest must be able to answer: it is not paused. */
  readonly asksGuest?: true;
  /** Whether the guest is waited for. */
  readonly waits?: true;
}

/** A new action is a line here. */
const ACTIONS: Readonly<Record<Exclude<ScheduleAction, "backup">, Rule>> = {
  start: { unless: ON, already: "VmAlreadyRunning", run: ({ api }, vmId) => api.startVm({ vmId }) },
  stop: {
    unless: ["stopped", "suspended", "crashed"],
    already: "VmNotRunning",
    run: ({ api }, vmId) => api.stopVm({ vmId }),
    asksGuest: true,
    waits: true,
  },
  reboot: {
    unless: ["stopped", "suspended", "crashed"],
    already: "VmNotRunning",
    run: ({ api }, vmId) => api.rebootVm({ vmId }),
    asksGuest: true,
  },
  snapshot: {
    unless: [],
    already: "SnapshotExists",
    run: ({ api, schedule, clock }, vmId) => takeSnapshot(api, vmId, schedule, clock.now()),
  },
};

/** Errors after which a VM may be forced off although it could not even be asked. */
const FORCIBLE: readonly ErrorCode[] = ["StopFailed", "VmNotRunning", "VmBusy"];

const asError = (thrown: unknown): ContractError => {
  const error = contractError(thrown, "LibvirtFailed", "run_schedule_now");
  return error instanceof ContractError ? error : new ContractError("Internal", undefined, { cause: error });
};

/** VMs that are meant now, of those that may be seen, and ids that no VM has. */
export function scheduleTargetsIn(
  vms: readonly VM[],
  targets: Pick<Schedule["targets"], "vmIds" | "tags" | "groups">,
): { readonly found: VM[]; readonly missing: string[] } {
  const { vmIds } = targets, found = vms.filter((vm) => isCovered(targets, vm));
  const known = new Set(found.map(({ id }) => id));
  return { found, missing: vmIds.filter((id) => !known.has(id)) };
}

/** Outcome of a VM, as a line of a task's log. */
export function outcomeLine(
  vm: { readonly id: string; readonly name: string },
  { outcome, message: why }: Outcome,
): Sentence {
  return why === undefined ? message`${vmName(vm)}: ${outcome}` : message`${vmName(vm)}: ${outcome} (${why})`;
}

/** Carries one task out; it is used once. */
export class TaskRun {
  readonly #names = new Map<string, string>();
  readonly #outcomes = new Map<string, Outcome>();
  readonly #rule: Rule;
  #meant: readonly VM[] | undefined;

  constructor(readonly task: Task) {
    this.#rule = ACTIONS[task.schedule.action];
  }

  /** The VMs that are meant; undefined until they were looked up. */
  get meant(): readonly VM[] | undefined {
    return this.#meant;
  }

  /** Results so far, in the order of the VMs. */
  results(): Result[] {
    return [...this.#names].flatMap(([vmId, name]) => {
      const outcome = this.#outcomes.get(vmId);
      return outcome === undefined ? [] : [{ vmId, name, ...outcome }];
    });
  }

  /** @throws the reason of the job's end, when it is cancelled */
  async run(): Promise<void> {
    const { api, schedule, job, nameOf } = this.task;
    const { found, missing } = scheduleTargetsIn(await api.getVms(), schedule.targets);
    this.#meant = found;
    job.log(message`${{ $vms: found.length }} VMs are meant`);
    for (const vmId of missing) {
      this.#names.set(vmId, nameOf(vmId) ?? vmId);
      this.#end(vmId, { outcome: "failed", message: "It is gone, or may not be seen" });
    }
    for (const { id, name } of found) this.#names.set(id, name);
    const { left, cannotAsk } = await this.#ask(found);
    if (!this.#rule.waits) {
      for (const vmId of left) this.#end(vmId, { outcome: "done" });
      return;
    }
    const late = await this.#awaitStopped(left);
    if (schedule.force) await this.#force([...late, ...cannotAsk.keys()]);
    else {
      const why = `It did not shut down within ${schedule.deadlineSeconds} seconds`;
      for (const vmId of late) this.#end(vmId, { outcome: "failed", message: why });
      for (const [vmId, why] of cannotAsk) this.#end(vmId, { outcome: "failed", message: why });
    }
  }

  /** Asks for the action. @returns those that were asked, and those that could not be, with the reason */
  async #ask(vms: readonly VM[]): Promise<{ left: string[]; cannotAsk: Map<string, Sentence> }> {
    const { job } = this.task;
    const { unless, already, asksGuest, run } = this.#rule;
    const todo: string[] = [], cannotAsk = new Map<string, Sentence>();
    for (const { id, state } of vms) {
      if (unless.includes(state)) this.#end(id, { outcome: "unchanged", message: `It was ${state} already` });
      else if (state === "paused" && asksGuest) {
        cannotAsk.set(id, "It is paused, so its guest cannot be asked");
      } else todo.push(id);
    }
    const { results } = await batch(todo, (vmId) => {
      job.signal.throwIfAborted();
      return run(this.task, vmId);
    }, asError);
    job.signal.throwIfAborted();
    const left: string[] = [];
    for (const { vmId, success, error } of results) {
      if (success) left.push(vmId);
      else if (error!.code === already && !(asksGuest && this.task.stateOf(vmId) === "paused")) {
        this.#end(vmId, { outcome: "unchanged", message: error!.sentence });
      } else if (this.#rule.waits && FORCIBLE.includes(error!.code as ErrorCode)) {
        cannotAsk.set(vmId, error!.sentence);
      } else this.#end(vmId, { outcome: "failed", message: error!.sentence });
    }
    if (!this.#rule.waits) {
      for (const [vmId, why] of cannotAsk) this.#end(vmId, { outcome: "failed", message: why });
    }
    return { left, cannotAsk };
  }

  /** Waits until the guests have shut down. @returns those that have not by the deadline */
  async #awaitStopped(vmIds: readonly string[]): Promise<string[]> {
    const { clock, job, stateOf, schedule } = this.task;
    const end = clock.monotonic() + schedule.deadlineSeconds * 1000;
    let left = [...vmIds];
    for (;;) {
      left = left.filter((vmId) => {
        const state = stateOf(vmId);
        if (state !== undefined && ON.includes(state)) return true;
        this.#end(vmId, { outcome: "done" });
        return false;
      });
      if (left.length === 0 || clock.monotonic() >= end) return left;
      await sleep(clock, LOOK_MS, job.signal);
      job.signal.throwIfAborted();
    }
  }

  async #force(vmIds: readonly string[]): Promise<void> {
    const { api, job } = this.task;
    const { results } = await batch(vmIds, (vmId) => {
      job.signal.throwIfAborted();
      return api.forceStopVm({ vmId });
    }, asError);
    job.signal.throwIfAborted();
    for (const { vmId, success, error } of results) {
      // It has shut down just now.
      if (success || error!.code === "VmNotRunning") {
        this.#end(vmId, { outcome: success ? "forced" : "done" });
      } else this.#end(vmId, { outcome: "failed", message: error!.sentence });
    }
  }

  #end(vmId: string, outcome: Outcome): void {
    this.#outcomes.set(vmId, outcome);
    this.task.job.log(outcomeLine({ id: vmId, name: this.#names.get(vmId)! }, outcome));
  }
}
