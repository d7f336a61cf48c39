/** A click on an action, from asking first to saying how it went. */
import type { DeleteVmResult, VM } from "../contract/mod.ts";
import { type ActionName, actionWords, deletedBy, perform } from "../vm/actions.ts";
import { answerWarnings } from "../text/notice.ts";
import { oneLine } from "../text/text.ts";
import { formatDay } from "../text/time.ts";
import type { Notice } from "../text/notice.ts";
import { plural, t } from "../i18n/mod.ts";
import { api } from "./api.ts";
import { askToConfirm, doomedOf, needsConfirmation } from "./confirm.ts";
import { live } from "./live.ts";
import { pending } from "./pending.ts";
import { report, reportDone, reportFailure } from "./toasts.ts";

/** Result of an action: its VM, and for a deletion the deleted disks and the entry in the bin. */
export type ActionDone = Pick<Notice, "name" | "disks" | "entryId">;

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
 * @returns What was done to which VM; null where it was not.
 */
export async function runAction(action: ActionName, vm: VM): Promise<ActionDone | null> {
  const consent = needsConfirmation(action, 1) ? await askToConfirm({ action, vms: [vm] }) : undefined;
  if (consent === null) return null;
  const texts = say(action, vm);
  pending.begin(vm.id, action);
  let deleted: DeleteVmResult | undefined;
  try {
    const answer = await perform(api, action, vm.id, doomedOf(consent, vm.id));
    deleted = deletedBy(action, answer);
  } catch (error) {
    pending.end(vm.id);
    reportFailure({ sentence: texts.failed }, error);
    return null;
  }
  pending.accepted(vm.id, live.vms.peek(vm.id)?.state);
  const { bin } = deleted ?? {}, name = oneLine(vm.name, 60);
  if (!bin) report(texts.done);
  else {
    const text = t("done.binned", { name: namedWith(name, bin.paths.length), until: formatDay(bin.until) });
    report(text, {
      label: t("done.undo"),
      run: () => attempt(t("done.undo_failed"), () => undo(bin.entryId, name)),
    });
  }
  return {
    name: vm.name,
    entryId: bin?.entryId,
    disks: deleted && deleted.deletedDisks.length + (bin?.paths.length ?? 0),
  };
}

/** A VM that was deleted, and how many disks with it. */
const namedWith = (name: string, disks: number): string =>
  disks === 0 ? name : plural("done.with_disks", disks, { name });

async function undo(entryId: string, name: string): Promise<void> {
  const restored = await api.restoreBinEntry({ entryId });
  reportDone(t("done.restored", { name }), answerWarnings(restored));
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
