/** The commands of the palette: those of the contract, by nothing but their own rows. Pure. */
import type { CommandName } from "../../lib/contract/mod.ts";
import { type Verb, VERBS } from "../verb/find.ts";

/** Commands that let somebody in: who uses this is in. */
const letsIn = ({ command }: Verb) => command.permission === "anyone" && !command.readOnly;

const isForVm = ({ command }: Verb) =>
  "vmId" in ((command.input as { properties?: object }).properties ?? {});

/**
 * The commands that are offered, in the contract's order.
 *
 * @param may whether the session may call it
 * @param forVm only those that are for a VM
 * @param verbs all commands
 */
export function paletteVerbs(
  may: (name: CommandName) => boolean,
  forVm: boolean,
  verbs: readonly Verb[] = VERBS,
): Verb[] {
  return verbs.filter((verb) => !letsIn(verb) && (!forVm || isForVm(verb)) && may(verb.name));
}
