/** What happened to VMs and host, as marks on a time line. Pure. */
import type { AlertIncident } from "../contract/alerts.ts";
import type { Activity } from "../contract/host.ts";

/** Kinds of marks, each with a colour and a switch. */
export const MARK_KINDS = ["power", "snapshot", "backup", "change", "trouble", "alert"] as const;
export type MarkKind = typeof MARK_KINDS[number];

/** Most marks of a page: more than these are a wall. */
export const MOST_MARKS = 200;

/** What is marked, by the names of commands and events. What only looks, or only names things, is none. */
const ACTIONS: Readonly<Record<MarkKind, readonly string[]>> = {
  power: [
    ...[
      "start_vm",
      "stop_vm",
      "force_stop_vm",
      "pause_vm",
      "resume_vm",
      "reboot_vm",
      "reset_vm",
      "suspend_vm",
    ],
    ...["guest_shutdown", "guest_reboot"],
    ...["started", "stopped", "suspended", "resumed", "pmsuspended", "reboot"],
  ],
  snapshot: ["create_snapshot", "revert_snapshot", "delete_snapshot"],
  backup: ["vm-backed-up"],
  change: [
    ...["create_vm", "clone_vm", "import_vm", "delete_vm", "update_vm", "set_vm_xml", "restore_backup"],
    ...["attach_disk", "detach_disk", "move_disk", "update_disk", "resize_disk"],
    ...["attach_nic", "detach_nic", "update_nic", "attach_share", "detach_share"],
    ...["attach_host_device", "detach_host_device"],
    ...["start_network", "stop_network", "start_storage_pool", "stop_storage_pool"],
  ],
  trouble: ["crashed", "io-error", "watchdog"],
  alert: ["alert-fired"],
};

/** A batch is what it did to each. */
const batchOf = (action: string) => action.endsWith("_vm") ? [`batch_${action}s`] : [];

const KIND_OF: ReadonlyMap<string, MarkKind> = new Map(
  MARK_KINDS.flatMap((kind) =>
    ACTIONS[kind].flatMap((action) => [action, ...batchOf(action)]).map((action) => [action, kind] as const)
  ),
);

/** The names of all commands and events that are marked: what to ask the activity for. */
export const MARKED_ACTIONS: readonly string[] = [...KIND_OF.keys()];

/** A mark: what happened, and of which kind that is. */
export interface Mark {
  readonly kind: MarkKind;
  readonly entry: Activity;
}

/** The kind of a command or event, by its name; undefined where it is no mark. */
export const markKindOf = (action: string): MarkKind | undefined => KIND_OF.get(action);

/** Alerts that fired, as what happened: the activity does not have them. */
export const firedAsActivity = (incidents: readonly AlertIncident[]): Activity[] =>
  incidents.map(({ firedAt, vmId, vmName, name, message }, index) => ({
    ...{ id: -1 - index, timestamp: firedAt, actor: "libvirt", action: "alert-fired", result: "event" },
    ...(vmId !== undefined && { vmId }),
    ...(vmName !== undefined && { vmName }),
    message: `${name}: ${message}`,
  }));

/** Marks from one time to another, in milliseconds since 1970, newest first. What failed changed nothing: no mark. */
export function marksOf(activity: readonly Activity[], from: number, to: number): Mark[] {
  return activity.filter(({ result, timestamp }) =>
    result !== "error" && timestamp >= from && timestamp <= to
  )
    .flatMap((entry) => {
      const kind = markKindOf(entry.action);
      return kind === undefined ? [] : [{ kind, entry }];
    })
    .sort((a, b) => b.entry.timestamp - a.entry.timestamp)
    .slice(0, MOST_MARKS);
}
