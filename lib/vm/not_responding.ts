/** What the server says of a VM with a moment in it; pages say it themselves, with the reader's time. Pure. */
import type { VM } from "../contract/vm.ts";

/** Since when and why a VM does not respond, and what helps, for API clients and the command line. */
export function notRespondingText({ since, call }: NonNullable<VM["notResponding"]>): string {
  return `It has not responded since ${
    new Date(since).toISOString()
  }: ${call}. Other VMs are not affected. Check the storage ` +
    "its disks are on; if it stays so, force it off.";
}

/** Since when a VM is shown as it was before, for API clients and the command line. */
export const notUnderstoodText = (since: number): string =>
  `Its host has told of it since ${
    new Date(since).toISOString()
  } what this version of KVM Manager does not understand. ` +
  "It is shown as it was before. Update KVM Manager here.";

/** What else about a VM needs a person. */
export function otherAttention(
  { attention, notResponding, notUnderstoodSince }: Pick<
    VM,
    "attention" | "notResponding" | "notUnderstoodSince"
  >,
): readonly string[] {
  const own = [
    ...notResponding === undefined ? [] : [notRespondingText(notResponding)],
    ...notUnderstoodSince === undefined ? [] : [notUnderstoodText(notUnderstoodSince)],
  ];
  // Lists cut long sentences
  return attention.filter((text) => text === "" || !own.some((each) => each.startsWith(text)));
}
