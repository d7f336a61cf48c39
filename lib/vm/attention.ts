/** Reasons why a VM needs attention, in the words of the server; pages recognize some of them by these. */
import type { VM } from "../contract/vm.ts";
import { oneLine } from "../text/text.ts";

/** Its screen can be closed from the page that says so. */
export const OPEN_SCREEN_TEXT =
  "Its screen has no password: everybody who reaches its port on the host has its keyboard.";

/** Another program has defined a VM without tags or the group that it had. The page that says so can put them back. */
export function lostLabelsText(name: string, { tags, group }: NonNullable<VM["lostLabels"]>): string {
  const shown = oneLine(name, 60);
  const what = [
    ...tags.map((tag) => `the tag ${oneLine(tag, 60)}`),
    ...group === undefined ? [] : [`the group ${oneLine(group, 60)}`],
  ].join(", ");
  return `Another program changed its definition, and took away ${what}. Schedules, backups, alerts and rights that go by ` +
    `them leave it out. Put them back here, or by "kvm-manager vm update ${shown} --tags TAG --group GROUP"; setting its tags says that it is meant ` +
    "to be so.";
}
