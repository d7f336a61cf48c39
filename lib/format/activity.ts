/** What happened, in words. */
import type { Activity } from "../contract/mod.ts";
import { type PlainKey, t } from "../i18n/mod.ts";
import { ACTIONS, isActionName } from "./actions.ts";
import { oneLine } from "./text.ts";

/** Commands other than actions → what a person calls them. */
const COMMANDS: Readonly<Record<string, PlainKey>> = {
  set_tags: "activity.set_tags",
  set_group: "activity.set_group",
  set_autostart: "activity.set_autostart",
  set_vm_xml: "activity.set_vm_xml",
  rename_vm: "activity.rename_vm",
  clone_vm: "activity.clone_vm",
  import_vm: "activity.import_vm",
};

/** What was done, from the command's name or libvirt's event: a word of ours where there is one. */
export function activityText({ action }: Pick<Activity, "action">): string {
  const name = action.replace(/^batch_/, "").replace(/_vms?$/, "");
  if (isActionName(name)) return t(ACTIONS[name].label);
  const key = Object.hasOwn(COMMANDS, action) ? COMMANDS[action] : undefined;
  return key ? t(key) : oneLine(action.replaceAll("_", " "), 80);
}

/** What is known of what happened, newest first: the page's list and what events brought, each entry once. */
export function mergeActivity(
  newer: readonly Activity[],
  older: readonly Activity[],
  limit: number,
): Activity[] {
  const byId = new Map([...older, ...newer].map((entry) => [entry.id, entry]));
  return [...byId.values()].sort((a, b) => b.timestamp - a.timestamp || b.id - a.id).slice(0, limit);
}
