/** Turns lock managers on and off: files, libvirt, and a VM that shows it. A step that fails has the ones before undone. */
import { setTimeout as pause } from "node:timers/promises";
import { CHOSEN_LOCK_DRIVERS, ContractError } from "../../../lib/contract/mod.ts";
import type { Sentence } from "../../../lib/i18n/message.ts";
import { lockManager as texts } from "../../../lib/i18n/en/lock_manager.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { type LockChange, type LockState, wantedGuard } from "../../../lib/system/lock_manager/refusal.ts";
import { LOCK_CONF } from "../../../lib/system/lock_manager/settings.ts";
import { clauseOf } from "../../../lib/text/message.ts";
import { hostFiles } from "../../machine/host_files.ts";
import { undefinedIfMissing } from "../../machine/files.ts";
import { argumentsOf, processes } from "../../machine/processes.ts";
import type { LibvirtCaller } from "../../libvirt/link.ts";
import { Rollback } from "../../rollback.ts";
import { hasSystemd } from "../install/system.ts";
import { changeFile, type ConfChanges, lockConfFiles } from "./conf_files.ts";
import { libvirtDaemon, loadedDrivers, restartLibvirt, startLike, startLockd } from "./daemons.ts";
import { sanlockStatus } from "./sanlock.ts";
import { tryLease } from "./trial_lease.ts";

const { t } = textsOf(texts);

/** Milliseconds in which libvirt answers after its restart, and between two questions. */
const ANSWER_MS = 60_000, ASK_MS = 200;
/** The same with sanlock: libvirt joins first, and waits for 140 seconds where the number was another host's. */
const JOIN_MS = ANSWER_MS + 160_000;

/** Surroundings of a change: calls to libvirt, the clock, output of lines, and a signal that ends it. */
export interface LockWork {
  readonly call: LibvirtCaller;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly say: (line: Sentence) => void;
  /** Has a VM shown in no list. */
  readonly hide?: (uuid: string) => void;
  readonly signal?: AbortSignal;
}

/** Ids of the VMs that run. @throws {LibvirtError} */
async function running(call: LibvirtCaller): Promise<Set<string>> {
  const states = await call("domainListStates");
  return new Set(states.filter(({ active }) => active).map(({ uuid }) => uuid));
}

/** Those of some VMs whose QEMU runs. */
async function withQemu(uuids: readonly string[]): Promise<string[]> {
  const words = new Set<string>();
  for await (const pid of processes()) {
    const all = await argumentsOf(pid), at = all.indexOf("-uuid");
    if (at >= 0) words.add(all[at + 1] ?? "");
  }
  return uuids.filter((uuid) => words.has(uuid));
}

/** Waits until libvirt answers, and has those VMs that ran before and have not ended meanwhile. @throws {Error} */
async function awaitLibvirt(
  { call }: LockWork,
  before: ReadonlySet<string>,
  limitMs = ANSWER_MS,
): Promise<void> {
  const until = performance.now() + limitMs;
  for (;;) {
    try {
      const now = await running(call);
      const missing = [...before].filter((uuid) => !now.has(uuid));
      const lost = missing.length === 0 ? 0 : (await withQemu(missing)).length;
      if (lost === 0) return;
      throw new Error(t("lock_manager.lost_vms", { n: lost }));
    } catch (error) {
      if (performance.now() > until) throw error;
      // Where systemd does not start it again, one that has ended does not come back
      if (!await hasSystemd() && await libvirtDaemon() === undefined) {
        throw new Error(t("lock_manager.libvirt_ended"), { cause: error });
      }
      await pause(ASK_MS);
    }
  }
}

/**
 * Looks, decides and changes while no other caller does so.
 *
 * @throws {ContractError} LockManagerRefused where another process is at it
 */
export async function changingAlone<T>(run: () => Promise<T>, lock = lockConfFiles): Promise<T> {
  const held = await lock();
  if (held === null) {
    throw new ContractError("LockManagerRefused", { reason: t("lock_manager.busy_elsewhere") });
  }
  // Not `using`: the bundler takes a variable out that is read once, and then nothing is let go
  try {
    return await run();
  } finally {
    held[Symbol.dispose]();
  }
}

/** The changes of each file. */
function changesOf(change: LockChange, state: LockState) {
  const { driver, lockspace, hostNumber } = wantedGuard(change, state);
  if (driver === "none") return { [LOCK_CONF.qemu]: { lock_manager: null } };
  // The lock driver's own file first: without it qemu.conf would be right for a moment only
  const own: ConfChanges = driver === "lockd"
    ? { file_lockspace_dir: lockspace }
    : { auto_disk_leases: 1, host_id: hostNumber, disk_lease_dir: lockspace };
  return { [LOCK_CONF[driver]]: own, [LOCK_CONF.qemu]: { lock_manager: driver } };
}

/**
 * Carries a change out that was not refused.
 *
 * @returns copies of the files before it
 * @throws {ContractError} LockManagerFailed with the step, why, and how things are now
 */
export async function changeLockManager(
  work: LockWork,
  change: LockChange,
  state: LockState,
): Promise<string[]> {
  const { call, now, say, hide, signal } = work;
  const { driver, lockspace, hostNumber } = wantedGuard(change, state);
  const limitMs = driver === "sanlock" ? JOIN_MS : ANSWER_MS;
  const rollback = new Rollback(), backups: string[] = [];
  const libvirt = await libvirtDaemon(), before = await running(call);
  let step = "", isRestarted = false;
  const begin = (text: string) => {
    signal?.throwIfAborted();
    step = text;
    say(text);
  };
  try {
    if (driver === "lockd") {
      begin(t("lock_manager.step_daemon"));
      await startLockd();
    }
    if (lockspace !== null) {
      begin(t("lock_manager.step_folder"));
      const info = await undefinedIfMissing(hostFiles.stat(lockspace));
      if (info?.isDirectory !== true) throw new Error(t("lock_manager.no_folder", { folder: lockspace }));
    }
    begin(t("lock_manager.step_files"));
    // Undone last: libvirt is restarted with the files that were there before
    rollback.add(t("lock_manager.undo_restart"), async () => {
      if (!isRestarted) return;
      if (await libvirtDaemon() === undefined && libvirt !== undefined) await startLike(libvirt);
      else await restartLibvirt();
      await awaitLibvirt(work, before, state.driver === "sanlock" ? JOIN_MS : ANSWER_MS);
    });
    for (const [path, changes] of Object.entries(changesOf(change, state))) {
      const changed = await changeFile(path, changes, now());
      if (changed === undefined) continue;
      backups.push(changed.backup);
      rollback.add(path, () => changed.restore());
      say(t("lock_manager.copied", { path, backup: changed.backup }));
    }
    begin(t("lock_manager.step_restart"));
    isRestarted = true;
    await restartLibvirt();
    await awaitLibvirt(work, before, limitMs);
    step = t("lock_manager.step_verify");
    say(step);
    const daemon = await libvirtDaemon(), loaded = daemon && await loadedDrivers(daemon);
    if (
      loaded !== undefined &&
      CHOSEN_LOCK_DRIVERS.some((each) => loaded.includes(each) !== (each === driver && each !== "none"))
    ) {
      throw new Error(t("lock_manager.not_loaded"));
    }
    if (driver === "sanlock") {
      const joined = (await sanlockStatus())?.joined, wanted = `${hostNumber}:${lockspace}`;
      // libvirt starts without having joined as well
      if (joined !== wanted) throw new Error(t("lock_manager.not_joined", { wanted }));
    }
    if (driver !== "none") await tryLease(call, driver, lockspace, hide);
    return backups;
  } catch (error) {
    const left = await rollback.run();
    const state = left.length === 0 ? t("lock_manager.undone") : t("lock_manager.left", {
      what: left.map((each) => `${each.what}: ${clauseOf(each.error)}`).join("; "),
    });
    if (signal?.aborted && error === signal.reason) throw error;
    throw new ContractError("LockManagerFailed", { step, reason: clauseOf(error), state }, { cause: error });
  }
}
