/** One action on several VMs: never all-or-nothing, and what failed is said VM by VM. */
import { isOfferedNow } from "../access/looking.ts";
import type { BatchOperationResult, VM } from "../contract/mod.ts";
import { type ActionName, ACTIONS, isAllowed, perform } from "../vm/actions.ts";
import { answerWarnings } from "../text/notice.ts";
import { failureOf } from "../text/failure.ts";
import { plural, t } from "../i18n/mod.ts";
import type { Api } from "../contract/api.ts";
import { api } from "./api.ts";
import { bulkReport } from "./bulk_report.ts";
import { askToConfirm, doomedOf, needsConfirmation } from "./confirm.ts";
import { live } from "./live.ts";
import { pending } from "./pending.ts";
import { report } from "./toasts.ts";

/** Actions offered for several VMs at once. */
export const BULK_ACTIONS = ["start", "stop", "reboot", "force_stop", "delete"] as const;
export type BulkAction = typeof BULK_ACTIONS[number];

/** Most VMs a batch command takes. */
const BATCH = 1_000;
/** Calls under way at once, where there is no batch command. */
const AT_ONCE = 4;

type BulkOutcome = {
  readonly vm: VM;
  readonly error?: unknown;
  readonly warnings?: readonly string[] | undefined;
};
type Many = (input: { vmIds: string[] }) => Promise<BatchOperationResult>;

const BATCHES: Readonly<Record<Exclude<BulkAction, "delete">, (client: Api) => Many>> = {
  start: (client) => client.batchStartVms,
  stop: (client) => client.batchStopVms,
  reboot: (client) => client.batchRebootVms,
  force_stop: (client) => client.batchForceStopVms,
};

async function inBatches(call: Many, vms: readonly VM[]): Promise<BulkOutcome[]> {
  const outcomes: BulkOutcome[] = [];
  for (let at = 0; at < vms.length; at += BATCH) {
    const part = vms.slice(at, at + BATCH);
    try {
      const { results } = await call({ vmIds: part.map(({ id }) => id) });
      const byId = new Map(results.map((result) => [result.vmId, result]));
      for (const vm of part) {
        const result = byId.get(vm.id);
        if (result?.success) outcomes.push({ vm });
        else outcomes.push({ vm, error: result?.error ?? new Error(t("failed.no_answer")) });
      }
    } catch (error) {
      outcomes.push(...part.map((vm) => ({ vm, error })));
    }
  }
  return outcomes;
}

/** Calls for each VM, a few at a time, in order. */
export async function changeEachVm(
  vms: readonly VM[],
  change: (vm: VM) => Promise<unknown>,
): Promise<BulkOutcome[]> {
  const outcomes: BulkOutcome[] = [];
  const queue = vms[Symbol.iterator]();
  const work = async () => {
    for (const vm of queue) {
      try {
        const warnings = answerWarnings(await change(vm));
        outcomes.push({ vm, warnings });
      } catch (error) {
        outcomes.push({ vm, error });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return outcomes;
}

/** Says how it went: a message when all is well, else a list of what failed and why, and of what is to be known. */
export function reportBulk(label: string, outcomes: readonly BulkOutcome[]): void {
  const failures = outcomes.flatMap(({ vm, error }) =>
    error === undefined ? [] : [{ vm, failure: failureOf(error) }]
  );
  const warned = outcomes.flatMap(({ vm, warnings }) => warnings === undefined ? [] : [{ vm, warnings }]);
  const succeeded = outcomes.length - failures.length;
  if (failures.length + warned.length === 0) report(plural("bulk.done", succeeded, { action: label }));
  else bulkReport.value = { title: label, succeeded, failures, warned };
}

/** The VMs of a selection for which an action makes sense. */
export function eligible(action: ActionName, vms: readonly VM[]): VM[] {
  return vms.filter((vm) => isAllowed(action, vm) && isOfferedNow(ACTIONS[action].command, vm.id));
}

/** Carries an action out on those of the VMs for which it makes sense. @returns Whether it was done at all. */
export async function actOnMany(action: BulkAction, selected: readonly VM[]): Promise<boolean> {
  const vms = eligible(action, selected);
  if (vms.length === 0) return false;
  const consent = needsConfirmation(action, vms.length) ? await askToConfirm({ action, vms }) : undefined;
  if (consent === null) return false;
  for (const { id } of vms) pending.begin(id, action);
  const outcomes = action === "delete"
    ? await changeEachVm(vms, ({ id }) => perform(api, action, id, doomedOf(consent, id)))
    : await inBatches(BATCHES[action](api), vms);
  for (const { vm, error } of outcomes) {
    if (error === undefined) pending.accepted(vm.id, live.vms.peek(vm.id)?.state);
    else pending.end(vm.id);
  }
  reportBulk(t(ACTIONS[action].label), outcomes);
  return true;
}

/** Adds tags to VMs and takes others away. */
export async function tagMany(
  vms: readonly VM[],
  add: readonly string[],
  remove: readonly string[],
): Promise<void> {
  const outcomes = await changeEachVm(vms, (vm) => {
    const kept = vm.tags.filter((tag) => !remove.includes(tag));
    return api.setTags({ vmId: vm.id, tags: [...new Set([...kept, ...add])] });
  });
  reportBulk(t("bulk.tag"), outcomes);
}
