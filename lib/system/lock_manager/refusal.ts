/** Why a lock manager is not changed, before anything is. Pure. */
import { type Message, message, render } from "../../i18n/message.ts";
import { guardText, isSameGuard } from "../doctor/checks_locks.ts";
import type { LockFacts } from "../doctor/facts.ts";
import { type DistributionFamily, installs } from "../doctor/distribution.ts";
import type { CHOSEN_LOCK_DRIVERS, LockDriver } from "../../contract/lock_manager.ts";
import { SANLOCK_FOLDER } from "./settings.ts";

/** Requested change of the lock manager's settings. */
export interface LockChange {
  readonly driver: typeof CHOSEN_LOCK_DRIVERS[number];
  /** Folder of the leases; null: on the disks' own files, or sanlock's default folder; undefined: as it is. */
  readonly lockspace: string | null | undefined;
  /** sanlock's number of this host; undefined: as it is. */
  readonly hostNumber: number | undefined;
  readonly restart: boolean;
  readonly whileRunning: boolean;
}

/** State of the lock manager before the change. */
export type LockState = Pick<
  LockFacts,
  | "driver"
  | "fault"
  | "pending"
  | "plugin"
  | "lockspace"
  | "leases"
  | "runningVms"
  | "others"
  | "automatic"
  | "hostNumber"
  | "sanlock"
>;

/** How it would be guarded afterwards. */
export function wantedGuard(
  change: LockChange,
  state: Pick<LockState, "driver" | "lockspace" | "hostNumber">,
) {
  const { driver } = change, isSanlock = driver === "sanlock";
  // Another driver's folder is not taken over
  const stays = state.driver === driver ? state.lockspace : null;
  const lockspace = change.lockspace === undefined ? stays : change.lockspace;
  return {
    driver,
    lockspace: driver === "none" ? null : isSanlock ? lockspace ?? SANLOCK_FOLDER : lockspace,
    hostNumber: isSanlock ? change.hostNumber ?? state.hostNumber ?? null : null,
  };
}

/** Whether all is as it is asked to be. */
export function isUnchanged(change: LockChange, state: LockState): boolean {
  const wanted = wantedGuard(change, state);
  return !state.pending && state.fault === null && isSameGuard(wanted, state) &&
    wanted.hostNumber === (state.hostNumber ?? null);
}

/** Hosts that would guard the same storage in another way than this one, with another driver or in another folder. */
function mixedWith(change: LockChange, state: LockState): LockState["others"] {
  if (change.driver === "none") return [];
  const wanted = wantedGuard(change, state);
  return state.others.filter((other) =>
    other.storage !== null && other.driver !== null && other.driver !== "none" && !isSameGuard(wanted, other)
  );
}

/** Why sanlock is not turned on, or changed. */
function sanlockRefusal(change: LockChange, state: LockState): Message | null {
  const { hostNumber, lockspace } = wantedGuard(change, state), joined = state.sanlock?.joined ?? null;
  if (state.sanlock?.daemon !== true) {
    return message`sanlock does not run. It resets the host when storage is lost, so start it yourself, with its watchdog: systemctl enable --now wdmd sanlock.`;
  }
  if (hostNumber === null) {
    return message`sanlock needs a number of this host, another one on each host that shares the folder. Give it (hostNumber).`;
  }
  const same = state.others.find((other) =>
    other.driver === "sanlock" && other.lockspace === lockspace && other.hostNumber === hostNumber
  );
  if (same !== undefined) {
    return message`${same.host} has the number ${hostNumber}. Choose one that no other host has.`;
  }
  if (state.driver === "none" && state.runningVms > 0 && !change.whileRunning) {
    return message`${state.runningVms} VMs run, and have no leases until they are shut down and started again. Shut them down or move them to another host first, or allow it (whileRunning).`;
  }
  if (joined !== null && joined !== `${hostNumber}:${lockspace}`) {
    return message`sanlock has joined as ${joined} and stays so until it is restarted. While no VM runs: systemctl restart sanlock.`;
  }
  return null;
}

/** Reason of a refusal, as a sentence with its remedy, in the language of the request; null where it is allowed. */
export function lockRefusal(change: LockChange, state: LockState, family: DistributionFamily): string | null {
  const why = refusal(change, state, family);
  return why === null ? null : render(why);
}

function refusal(change: LockChange, state: LockState, family: DistributionFamily): Message | null {
  const { driver, fault, leases, runningVms } = state;
  if (fault !== null) return message`${fault}. Correct the file first.`;
  const named = (driver: LockDriver) => guardText({ driver, lockspace: null });
  if (change.driver !== "none" && driver !== "none" && driver !== change.driver) {
    return message`${
      named(driver)
    } is on. Shut all VMs down and turn it off, on all hosts that share its leases; then turn ${
      named(change.driver)
    } on.`;
  }
  const hasPlugin = change.driver === "sanlock" ? state.sanlock?.plugin === true : state.plugin;
  if (change.driver !== "none" && !hasPlugin) {
    const command = installs(change.driver, family);
    return command === undefined
      ? message`libvirt's driver for ${named(change.driver)} is not installed.`
      : message`libvirt's driver for ${named(change.driver)} is not installed. Install it: ${command}.`;
  }
  const [mixed] = mixedWith(change, state);
  if (mixed !== undefined) {
    return message`${mixed.host} has ${
      guardText(mixed)
    }, and both hosts have ${mixed.storage}. Choose the same here, or change it there first.`;
  }
  const wanted = wantedGuard(change, state);
  const isMoved = driver !== "none" && driver === change.driver && wanted.lockspace !== state.lockspace;
  if (isMoved && (leases ?? runningVms) > 0) {
    return leases === null
      ? message`VMs hold an unknown number of leases where they are now, which nothing would look for in another folder. Shut the VMs down first, on all hosts.`
      : message`VMs hold ${leases} leases where they are now, which nothing would look for in another folder. Shut the VMs down first, on all hosts.`;
  }
  const sanlock = change.driver === "sanlock" ? sanlockRefusal(change, state) : null;
  if (sanlock !== null) return sanlock;
  if (change.driver === "lockd" && driver === "none" && runningVms > 0 && !change.whileRunning) {
    return message`${runningVms} VMs run, and have no leases until they are started again; one that is paused and resumed meanwhile leaves its lease behind when it ends. Shut them down or move them to another host first, or allow it (whileRunning).`;
  }
  return change.restart
    ? null
    : message`libvirt has to be restarted for it; VMs go on running. Allow it (restart).`;
}
