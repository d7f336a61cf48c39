/** That a VM which is made from another one has not got its tags and group, in words. Pure. */
import { oneLine } from "../text/text.ts";
import type { LostLabels } from "../contract/vm.ts";

/** Names that are told. */
const NAMED = 5;

/** The sentence; undefined where the other VM had none. @param from what the VM is made from: "The copy" */
export function labelsLeftText({ tags, group }: LostLabels, from: string): string | undefined {
  const named = tags.slice(0, NAMED).map((tag) => oneLine(tag, 60)).join(", ");
  const more = tags.length > NAMED ? " and more" : "";
  const had = [
    ...tags.length === 0 ? [] : [`the tag${tags.length === 1 ? "" : "s"} ${named}${more}`],
    ...group === undefined ? [] : [`the group ${oneLine(group, 60)}`],
  ];
  if (had.length === 0) return undefined;
  return `${from} had ${
    had.join(" and ")
  }, which were left out: schedules and backups would take the new VM for the other ` +
    "one, and a group may give people rights. Set what belongs to it";
}
