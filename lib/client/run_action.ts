/** A click on an action, from asking first to saying how it went. */
import type { VM } from "../contract/mod.ts";
import { type ActionName, actionWords, binnedUntil, perform } from "../vm/actions.ts";
import { oneLine } from "../text/text.ts";
import { formatDay } from "../text/time.ts";
import { t } from "../i18n/mod.ts";
import { api } from "./api.ts";
import { askToConfirm, doomedOf, isAsked } from "./confirm.ts";
import { live } from "./live.ts";
import { pending } from "./pending.ts";
import { report, reportFailure } from "./toasts.ts";

/** The texts of an action on one VM. */
function say(action: ActionName, vm: VM) {
  const name = oneLine(vm.name, 60);
  const { label, done } = actionWords(action, vm);
  return {
    done: t("done.on", { done: t(done), name }),
    failed: t("failed.on", { action: t(label), name }),
  };
}

/**
 * Carries an action out on a VM, with everything a person sees of it: the question where something would be
 * lost, the VM marked as being worked on, the result.
 *
 * @returns Whether it was done.
 */
export async function runAction(action: ActionName, vm: VM): Promise<boolean> {
  const consent = isAsked(action, 1) ? await askToConfirm({ action, vms: [vm] }) : undefined;
  if (consent === null) return false;
  const texts = say(action, vm);
  pending.begin(vm.id, action);
  let until: number | undefined;
  try {
    const answer = await perform(api, action, vm.id, doomedOf(consent, vm.id));
    until = binnedUntil(action, answer);
  } catch (error) {
    pending.end(vm.id);
    reportFailure({ sentence: texts.failed }, error);
    return false;
  }
  pending.accepted(vm.id, live.vms.peek(vm.id)?.state);
  const name = oneLine(vm.name, 60);
  report(until === undefined ? texts.done : t("done.binned", { name, until: formatDay(until) }));
  return true;
}

/** Calls for a change other than an action; says why when it fails. @returns Whether it was made. */
export async function attempt(what: string, change: () => Promise<unknown>): Promise<boolean> {
  try {
    await change();
    return true;
  } catch (error) {
    reportFailure({ sentence: what }, error);
    return false;
  }
}
