/** Text of a run on VMs that an earlier one had, and it had not. */
import type { CoveredNames } from "../../lib/coverage/coverage.ts";
import { type Message, message, vmName } from "../../lib/i18n/message.ts";
import { oneLine } from "../../lib/text/text.ts";

/** Longest name in a sentence. */
const LONGEST = 60;

/** That a run left VMs out which an earlier one had. */
export function leftOutText(leftOut: readonly string[], nameOf: CoveredNames["nameOf"]): Message {
  const vms = leftOut.map((id) => vmName({ id, name: oneLine(nameOf(id) ?? id, LONGEST) }));
  return message`It left out ${vms}, which it had before`;
}
