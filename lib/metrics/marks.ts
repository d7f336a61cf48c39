/** What happened to VMs and host, as marks on a time line. Pure. */
import type { Activity } from "../contract/host.ts";

/** Kinds of marks, each with a colour and a switch. */
export const MARK_KINDS = ["power", "snapshot", "change", "trouble"] as const;
export type MarkKind = typeof MARK_KINDS[number];

/** Most marks of a page: more than these are a wall. */
const MOST_MARKS = 200;

/** What is marked, by the name of the command or event. What only looks, or only names things, is none. */
const KINDS: readonly (readonly [name: RegExp, kind: MarkKind])[] = [
  [/^(start|stop|force_stop|pause|resume|reboot|reset|suspend)_vm$/, "power"],
  [/^(started|stopped|suspended|resumed|pmsuspended|reboot)$/, "power"],
  [/^(crashed|io-error|watchdog)$/, "trouble"],
  [/^(create|revert)_snapshot$/, "snapshot"],
  [/^(create|clone|import|delete|update)_vm$|^set_vm_xml$/, "change"],
  [/^(attach|detach|update)_(disk|nic)$|^resize_disk$/, "change"],
  [/^(start|stop)_(network|storage_pool)$/, "change"],
];

/** A mark: what happened, and of which kind that is. */
export interface Mark {
  readonly kind: MarkKind;
  readonly entry: Activity;
}

/** The kind of a command or event, by its name; undefined where it is no mark. A batch is what it did to each. */
export function markKindOf(action: string): MarkKind | undefined {
  const name = action.replace(/^batch_(\w+)s$/, "$1");
  return KINDS.find(([pattern]) => pattern.test(name))?.[1];
}

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
