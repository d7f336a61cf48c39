/** Why a lock manager is not changed, before anything is. Pure. */
import { type Message, message, render } from "../../i18n/message.ts";
import { guardText, isSameGuard } from "../doctor/checks_locks.ts";
import type { LockFacts } from "../doctor/facts.ts";
import { type DistributionFamily, installs } from "../doctor/distribution.ts";
import type { CHOSEN_LOCK_DRIVERS } from "../../contract/lock_manager.ts";

/** What is asked for. */
export interface LockChange {
  readonly driver: typeof CHOSEN_LOCK_DRIVERS[number];
  /** Folder of the leases; null: on the disks' own files; undefined: as it is. */
  readonly lockspace: string | null | undefined;
  readonly restart: boolean;
  readonly whileRunning: boolean;
}

/** What is known before. */
export type LockState = Pick<
  LockFacts,
  "driver" | "fault" | "pending" | "plugin" | "lockspace" | "leases" | "runningVms" | "others" | "automatic"
>;

/** How it would be guarded afterwards. */
export const wantedGuard = (change: LockChange, state: Pick<LockState, "lockspace">) => ({
  driver: change.driver,
  lockspace: change.driver === "none"
    ? null
    : change.lockspace === undefined
    ? state.lockspace
    : change.lockspace,
});

/** Whether all is as it is asked to be. */
export function isUnchanged(change: LockChange, state: LockState): boolean {
  return !state.pending && state.fault === null && isSameGuard(wantedGuard(change, state), state);
}

/** Hosts that would guard the same storage in another way than this one, with another driver or in another folder. */
function mixedWith(change: LockChange, state: LockState): LockState["others"] {
  if (change.driver === "none") return [];
  const wanted = wantedGuard(change, state);
  return state.others.filter((other) =>
    other.storage !== null && other.driver !== null && other.driver !== "none" && !isSameGuard(wanted, other)
  );
}

/** Why it is refused, in a sentence, with what to do; null where it is not. In the language of what is done now. */
export function lockRefusal(change: LockChange, state: LockState, family: DistributionFamily): string | null {
  const why = refusal(change, state, family);
  return why === null ? null : render(why);
}

function refusal(change: LockChange, state: LockState, family: DistributionFamily): Message | null {
  const { driver, fault, leases, runningVms } = state;
  if (fault !== null) return message`${fault}. Correct the file first.`;
  if (driver === "sanlock") {
    return message`sanlock is on. Shut all VMs down, take lock_manager out of qemu.conf and restart libvirt, on all hosts that share its leases; then turn virtlockd on.`;
  }
  if (change.driver === "lockd" && !state.plugin) {
    const command = installs("lockd", family);
    return command === undefined
      ? message`libvirt's driver for virtlockd is not installed.`
      : message`libvirt's driver for virtlockd is not installed. Install it: ${command}.`;
  }
  const [mixed] = mixedWith(change, state);
  if (mixed !== undefined) {
    return message`${mixed.host} has ${
      guardText(mixed)
    }, and both hosts have ${mixed.storage}. Choose the same here, or change it there first.`;
  }
  const wanted = wantedGuard(change, state);
  const isMoved = driver === "lockd" && change.driver === "lockd" && wanted.lockspace !== state.lockspace;
  if (isMoved && (leases ?? runningVms) > 0) {
    return leases === null
      ? message`VMs hold an unknown number of leases where they are now, which nothing would look for in another folder. Shut the VMs down first, on all hosts.`
      : message`VMs hold ${leases} leases where they are now, which nothing would look for in another folder. Shut the VMs down first, on all hosts.`;
  }
  if (change.driver === "lockd" && driver === "none" && runningVms > 0 && !change.whileRunning) {
    return message`${runningVms} VMs run, and have no leases until they are started again; one that is paused and resumed meanwhile leaves its lease behind when it ends. Shut them down or move them to another host first, or allow it (whileRunning).`;
  }
  return change.restart
    ? null
    : message`libvirt has to be restarted for it; VMs go on running. Allow it (restart).`;
}
