/** That a VM does not respond, as the server says it; pages say it themselves, with the reader's time. Pure. */
import type { VM } from "../contract/vm.ts";

/** Since when and why a VM does not respond, and what helps, for API clients and the command line. */
export function notRespondingText({ since, call }: NonNullable<VM["notResponding"]>): string {
  return `It has not responded since ${
    new Date(since).toISOString()
  }: ${call}. Other VMs are not affected. Check the storage ` +
    "its disks are on; if it stays so, force it off.";
}

/** What else about a VM needs a person. */
export function otherAttention(
  { attention, notResponding }: Pick<VM, "attention" | "notResponding">,
): readonly string[] {
  if (notResponding === undefined) return attention;
  const own = notRespondingText(notResponding);
  // Lists cut long sentences
  return attention.filter((text) => text === "" || !own.startsWith(text));
}
