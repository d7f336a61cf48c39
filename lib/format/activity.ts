/** What happened, in words. */
import type { Activity } from "../contract/mod.ts";
import { activity as texts } from "../i18n/en/activity.ts";
import { type PlainKeyOf, t, textsOf } from "../i18n/mod.ts";
import { ACTIONS, isActionName } from "./actions.ts";
import { oneLine } from "./text.ts";

const own = textsOf(texts);

/** Commands other than actions → what a person calls them. */
const COMMANDS: Readonly<Record<string, PlainKeyOf<typeof texts>>> = {
  create_vm: "activity.create_vm",
  import_vm: "activity.import_vm",
  clone_vm: "activity.clone_vm",
  rename_vm: "activity.rename_vm",
  set_tags: "activity.set_tags",
  set_group: "activity.set_group",
  set_autostart: "activity.set_autostart",
  set_vm_xml: "activity.set_vm_xml",
  update_vm: "activity.update_vm",
  discard_pending_changes: "activity.discard_pending_changes",
  attach_disk: "activity.attach_disk",
  detach_disk: "activity.detach_disk",
  resize_disk: "activity.resize_disk",
  update_disk: "activity.update_disk",
  insert_media: "activity.insert_media",
  eject_media: "activity.eject_media",
  attach_nic: "activity.attach_nic",
  detach_nic: "activity.detach_nic",
  update_nic: "activity.update_nic",
  add_port_forward: "activity.add_port_forward",
  set_cloud_init: "activity.set_cloud_init",
  remove_cloud_init: "activity.remove_cloud_init",
  open_console: "activity.open_console",
  send_keys: "activity.send_keys",
};

/** Events of libvirt → what a person calls them. */
const EVENTS: Readonly<Record<string, PlainKeyOf<typeof texts>>> = {
  "started": "activity.event_started",
  "stopped": "activity.event_stopped",
  "suspended": "activity.event_suspended",
  "resumed": "activity.event_resumed",
  "crashed": "activity.event_crashed",
  "undefined": "activity.event_undefined",
  "pmsuspended": "activity.event_pmsuspended",
  "reboot": "activity.event_reboot",
  "io-error": "activity.event_io_error",
  "watchdog": "activity.event_watchdog",
};
const WORDS = new Map([...Object.entries(COMMANDS), ...Object.entries(EVENTS)]);

/** What was done, from the command's name or libvirt's event: a word of ours where there is one. */
export function activityText({ action }: Pick<Activity, "action">): string {
  const name = action.replace(/^batch_/, "").replace(/_vms?$/, "");
  if (isActionName(name)) return t(ACTIONS[name].label);
  const key = WORDS.get(action);
  return key ? own.t(key) : oneLine(action.replaceAll("_", " "), 80);
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
