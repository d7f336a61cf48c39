/**
 * `kvm-manager lock-manager`: turns virtlockd or sanlock on and off as root, for a service that may not: what set_lock_manager does
 * where the server runs as root.
 */
import { ownHelp } from "./own_help.ts";
import { setLogLevel } from "../agent/log.ts";
import { isLocalSystem } from "../agent/machine/local_uri.ts";
import { textAt } from "../agent/machine/files.ts";
import type { Settings } from "../agent/settings.ts";
import { SettingsError } from "../agent/settings_error.ts";
import { changeLockManager, changingAlone } from "../agent/system/lock_manager/change.ts";
import { restartObstacle } from "../agent/system/lock_manager/daemons.ts";
import { type AnsweringHost, lookAtLocks } from "../agent/system/lock_manager/look.ts";
import { ApiError } from "../lib/client/api.ts";
import {
  CHOSEN_LOCK_DRIVERS,
  ContractError,
  type LockManager,
  lockManagerCommands,
  MOST_HOST_NUMBER,
} from "../lib/contract/mod.ts";
import { message, render } from "../lib/i18n/message.ts";
import { familyOf } from "../lib/system/doctor/distribution.ts";
import { isUnchanged, type LockChange, lockRefusal } from "../lib/system/lock_manager/refusal.ts";
import { fits } from "typebox/compile";
import { parsed } from "./arguments.ts";
import { serverOf } from "./connect/server.ts";
import { lockSources } from "./doctor.ts";
import { isServing, SOCKET_FILE } from "./environment.ts";
import { hostSettings, PLACE_OPTIONS } from "./host_settings.ts";
import { runHostCommand } from "./host_verb.ts";
import { ownLink } from "./own_link.ts";
import { escapeControlCharacters } from "./verb/cells.ts";

export const LOCK_MANAGER_HELP = () =>
  ownHelp({
    usage:
      "kvm-manager lock-manager lockd|sanlock|none [--lockspace DIR] [--host-number N] [--restart] [--while-running] [--uri URI] [--data-dir DIR] [--runtime-dir DIR] [--config FILE]",
    about: [
      message`Turns virtlockd or sanlock on or off, as root: it changes qemu.conf and the file of the lock manager, restarts libvirt – VMs go on running – and starts a small VM to see that it gets a lease. What fails is undone. docs/double-starts.md says what it guards.`,
    ],
    options: [
      [
        "--lockspace DIR",
        message`folder for leases, on storage that all hosts share; '' for leases on the disks' own files`,
      ],
      ["--host-number N", message`sanlock: number of this host, another one on each host with the folder`],
      ["--restart", message`restart libvirt; without it nothing is changed`],
      [
        "--while-running",
        message`although VMs run: one that is paused and resumed before it was shut down leaves its lease behind`,
      ],
    ],
  });

const FLAGS = { uri: { type: "string" }, ...PLACE_OPTIONS } as const;

interface Given {
  readonly settings: Settings;
  readonly change: LockChange;
}

/** Reads its arguments. @throws {Error} that says what is wrong */
export function readLockManager(args: readonly string[]): Given {
  const { values, positionals } = parsed(args, {
    ...FLAGS,
    lockspace: { type: "string" },
    "host-number": { type: "string" },
    restart: { type: "boolean" },
    "while-running": { type: "boolean" },
  });
  const {
    lockspace,
    restart = false,
    "while-running": whileRunning = false,
    "host-number": number,
    ...places
  } = values;
  const [word, more] = positionals, driver = CHOSEN_LOCK_DRIVERS.find((each) => each === word);
  if (driver === undefined || more !== undefined) throw new SettingsError("give lockd, sanlock or none");
  const hostNumber = number === undefined ? undefined : /^\d{1,4}$/.test(number) ? Number(number) : NaN;
  if (!(hostNumber === undefined || hostNumber >= 1 && hostNumber <= MOST_HOST_NUMBER)) {
    throw new SettingsError("--host-number must be a number from 1 to 2000");
  }
  const input = { driver, ...lockspace !== undefined && { lockspace }, restart, whileRunning };
  if (!fits(lockManagerCommands.set_lock_manager.input, input)) {
    throw new SettingsError(
      "--lockspace must be a path from the root, without quotes and a slash at its end",
    );
  }
  const settings = hostSettings(FLAGS, places);
  return {
    settings,
    change: { driver, lockspace: lockspace === "" ? null : lockspace, hostNumber, restart, whileRunning },
  };
}

/** Linked hosts that the running server knows; null if no server runs, or if it answers with an error. */
async function linkedHosts({ runtimeDir }: Settings): Promise<readonly AnsweringHost[] | null> {
  if (!await isServing(runtimeDir)) return null;
  try {
    const server = serverOf({ kind: "socket", path: `${runtimeDir}/${SOCKET_FILE}` });
    const { others } = await server.call("get_lock_manager", {}) as LockManager;
    return others.map(({ host, driver, lockspace, storage, hostNumber = null }) => ({
      host,
      answer: driver === null
        ? null
        : { driver, lockspace, hostNumber, networks: storage === null ? [] : [storage], sees: [] },
    }));
  } catch (error) {
    if (error instanceof ApiError) return null;
    throw error;
  }
}

const refused = (reason: string) => new ContractError("LockManagerRefused", { reason });

async function run({ settings, change }: Given): Promise<number> {
  if (!isLocalSystem(settings.uri)) {
    throw refused("the libvirt of the settings is not this host's qemu:///system.");
  }
  if (Deno.uid() !== 0) throw refused("only root may change libvirt's files. Run it as root (sudo).");
  const cannot = await restartObstacle();
  if (cannot !== null) throw refused(`${cannot}.`);
  setLogLevel("error");
  return await changingAlone(() => changed(settings, change));
}

/** Changes the lock manager's settings. The caller excludes other changes. @returns the exit status */
async function changed(settings: Settings, change: LockChange): Promise<number> {
  await using held = await ownLink(settings);
  const { link } = held;
  if (!link.status.connected) {
    throw refused(render(message`libvirt does not answer: ${link.status.error ?? message`not in time`}.`));
  }
  const found = await lookAtLocks(await lockSources(link)), linked = await linkedHosts(settings);
  if (linked === null) {
    console.error(render(message`KVM Manager does not run: what linked hosts have is not known.`));
  }
  // What they have in common with this host, the server has found out
  const others = (linked ?? []).map(({ host, answer }) => ({
    host,
    driver: answer?.driver ?? null,
    lockspace: answer?.lockspace ?? null,
    storage: answer?.networks[0] ?? null,
    hostNumber: answer?.hostNumber ?? null,
  }));
  const state = { ...found, others };
  if (isUnchanged(change, state)) {
    console.log(render(message`It is so already: nothing was changed.`));
    return 0;
  }
  const reason = lockRefusal(change, state, familyOf(await textAt("/etc/os-release") ?? ""));
  if (reason !== null) throw refused(reason);
  const say = (line: string) => console.log(escapeControlCharacters(line));
  await changeLockManager(
    { call: link.call.bind(link), now: Date.now, say: (line) => say(render(line)) },
    change,
    state,
  );
  say(
    render(
      change.driver === "none"
        ? state.driver === "sanlock" ? message`sanlock is off.` : message`virtlockd is off.`
        : change.driver === "sanlock"
        ? message`sanlock is on: VMs get leases at their next start.`
        : message`virtlockd is on: VMs get leases at their next start.`,
    ),
  );
  return 0;
}

/** Runs it; gives the exit status. */
export async function lockManagerCommand(args: readonly string[]): Promise<number> {
  return await runHostCommand("lock-manager", () => readLockManager(args), ContractError, run);
}
