/** How a freeze that was cut short is settled: the guest is thawed. */
import { LibvirtError } from "../../ffi/error.ts";
import { messageOf } from "../../lib/text/message.ts";
import { isOff } from "../vm/lifecycle/undefine.ts";
import { isConnectionLost } from "../libvirt/failure.ts";
import { left, NOTHING, type StepOutcome, t, Unsettled } from "../operations/outcome.ts";
import type { Settlement, StepRule, StepRules } from "../operations/settlement.ts";
import type { GuestFrozen } from "../operations/step.ts";

async function thaw(
  { uuid, name, isAll = false, thawsItself }: GuestFrozen,
  { vms: { link } }: Settlement,
): Promise<StepOutcome> {
  if (thawsItself === true) return { did: "done", note: t("operations.thaws_itself", { what: name }) };
  const domain = await link.call("domainRead", { uuid });
  // A guest that is off begins again, thawed.
  if (domain === null || isOff(domain)) return NOTHING;
  try {
    await link.call("domainThaw", { uuid });
  } catch (error) {
    if (!(error instanceof LibvirtError) || isConnectionLost(error)) throw error;
    // Of an operation that holds the VM, nothing else waits for an agent that may never answer.
    if (!isAll) return left(name, messageOf(error));
    // Its agent is gone or silent just now: it is tried again.
    throw new Unsettled(messageOf(error), { cause: error });
  }
  return { did: "done", note: t("operations.thawed", { what: name }) };
}

/** Whether it is finished or taken back, it comes to the same. */
const guestFrozen: StepRule<"guest-frozen"> = { finish: thaw, undo: thaw };

/** How the steps of guests are settled. */
export const guestSteps = { "guest-frozen": guestFrozen } satisfies Partial<StepRules>;
