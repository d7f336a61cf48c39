/** Events of VMs and host, as marks on a time line. Pure. */
import type { AlertIncident } from "../contract/alerts.ts";
import type { Activity } from "../contract/host.ts";

/** Kinds of marks, each with a colour and a switch. */
export const MARK_KINDS = ["power", "snapshot", "backup", "change", "trouble", "alert"] as const;
export type MarkKind = typeof MARK_KINDS[number];

/** Most marks of a page: more than these are a wall. */
export const MOST_MARKS = 200;

/** Events that are marked. */
const EVENTS: Readonly<Record<MarkKind, readonly string[]>> = {
  power: ["started", "stopped", "suspended", "resumed", "pmsuspended", "reboot"],
  snapshot: [],
  backup: ["vm-backed-up"],
  change: [],
  trouble: ["crashed", "io-error", "watchdog"],
  alert: ["alert-fired"],
};

/** Kind of mark → the commands that have it. A page gets them from its server: the contract is too large for a browser. */
export type MarkedCommands = Readonly<Partial<Record<MarkKind, readonly string[]>>>;

/** Name of a command or event → the kind of its mark. */
export type MarkKinds = ReadonlyMap<string, MarkKind>;

/** The kinds of all that is marked: events, and these commands. */
export const markKinds = (commands: MarkedCommands): MarkKinds =>
  new Map(
    MARK_KINDS.flatMap((kind) =>
      [...commands[kind] ?? [], ...EVENTS[kind]].map((name) => [name, kind] as const)
    ),
  );

/** A mark: what happened, and of which kind that is. */
export interface Mark {
  readonly kind: MarkKind;
  readonly entry: Activity;
}

/** Alerts that fired, as what happened: the activity does not have them. */
export const firedAsActivity = (incidents: readonly AlertIncident[]): Activity[] =>
  incidents.map(({ firedAt, vmId, vmName, name, message }, index) => ({
    id: -1 - index,
    timestamp: firedAt,
    actor: "libvirt",
    action: "alert-fired",
    result: "event",
    ...(vmId !== undefined && { vmId }),
    ...(vmName !== undefined && { vmName }),
    message: `${name}: ${message}`,
  }));

/** Marks from one time to another, in milliseconds since 1970, newest first. What failed changed nothing: no mark. */
export function marksOf(
  activity: readonly Activity[],
  kinds: MarkKinds,
  from: number,
  to: number,
): Mark[] {
  return activity.filter(({ result, timestamp }) =>
    result !== "error" && timestamp >= from && timestamp <= to
  )
    .flatMap((entry) => {
      const kind = kinds.get(entry.action);
      return kind === undefined ? [] : [{ kind, entry }];
    })
    .sort((a, b) => b.entry.timestamp - a.entry.timestamp)
    .slice(0, MOST_MARKS);
}
