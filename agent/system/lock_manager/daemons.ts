/** The processes of libvirt that lock managers are about: which run, since when, and how they are restarted. */
import { message, render } from "../../../lib/i18n/message.ts";
import { setTimeout as pause } from "node:timers/promises";
import { messageOf } from "../../../lib/text/message.ts";
import { textAt, undefinedIfMissing } from "../../machine/files.ts";
import { processStartedAt } from "../../machine/local.ts";
import { argumentsOf, ofProcess, processes } from "../../machine/processes.ts";
import { runProgram } from "../../machine/programs.ts";
import { hasSystemd } from "../install/system.ts";

/** Milliseconds that systemctl and a daemon that goes into the background may take, and that an old one has to end. */
const SYSTEMCTL_MS = 90_000, START_MS = 60_000, END_MS = 30_000;
/** Milliseconds between two looks whether it has ended. */
const LOOK_MS = 50;

/** Those that run QEMU's VMs: all of libvirt, or QEMU's driver alone. */
const LIBVIRT = ["libvirtd", "virtqemud"] as const;
/** Sockets of virtlockd and sanlock. */
export const LOCK_SOCKETS = {
  lockd: "/run/libvirt/virtlockd-sock",
  sanlock: "/run/sanlock/sanlock.sock",
} as const;
/** File with the process id of a virtlockd that we start without systemd. */
const LOCKD_PID = "/run/libvirt/virtlockd.pid";

/** A step could not be done. */
export class DaemonError extends Error {
  override readonly name = "DaemonError";
}

/** A process that was found. */
export interface Daemon {
  readonly pid: number;
  readonly program: string;
  readonly words: readonly string[];
}

/** A process with one of these names; undefined where none runs. */
export async function findDaemon(names: readonly string[]): Promise<Daemon | undefined> {
  for await (const pid of processes()) {
    const name = (await ofProcess(pid, () => Deno.readTextFile(`/proc/${pid}/comm`)))?.trim();
    if (name === undefined || !names.includes(name)) continue;
    const words = (await argumentsOf(pid)).filter((word, at, all) => word !== "" || at < all.length - 1);
    // A child that libvirtd has forked for a moment has its name and words as well: the parent is the older one
    return { pid: Number(pid), program: name, words };
  }
  return undefined;
}

export const libvirtDaemon = (): Promise<Daemon | undefined> => findDaemon(LIBVIRT);

/** Milliseconds since 1970 at which it was started; undefined where it has ended. */
export const daemonStart = ({ pid }: Daemon): Promise<number | undefined> =>
  ofProcess(pid, () => processStartedAt(pid));

/** Lock drivers that it has loaded; undefined where only root may read that. */
export async function loadedDrivers({ pid }: Daemon): Promise<readonly string[] | undefined> {
  const maps = await ofProcess(pid, () => Deno.readTextFile(`/proc/${pid}/maps`));
  return maps === undefined
    ? undefined
    : [...new Set([...maps.matchAll(/\/lock-driver\/(\w+)\.so$/gm)].map(([, name]) => name!))];
}

/** Whether something listens at a socket: systemd counts, which starts the daemon then. */
export async function listensAt(path: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.ConnectionRefused) return false;
    // Only root may: then its being there has to do
    if (error instanceof Deno.errors.PermissionDenied) {
      return await undefinedIfMissing(Deno.lstat(path)) !== undefined;
    }
    throw error;
  }
}

async function run(program: string, args: readonly string[], limitMs: number): Promise<void> {
  try {
    const { success, code, stderr } = await runProgram(program, args, { limitMs });
    if (success) return;
    throw new DaemonError(
      stderr.trim().split("\n").slice(0, 3).join(" ") ||
        render(message`${program} ended with status ${code}`),
    );
  } catch (error) {
    if (error instanceof DaemonError) throw error;
    throw new DaemonError(messageOf(error), { cause: error });
  }
}

/** Whether a process has ended; a zombie has. */
async function hasEnded(pid: number): Promise<boolean> {
  const status = await textAt(`/proc/${pid}/stat`);
  return status === undefined || /\) [ZX] /.test(status);
}

/** Why libvirt cannot be restarted from here; null where it can. */
export async function restartObstacle(): Promise<string | null> {
  if (await hasSystemd()) return null;
  const daemon = await libvirtDaemon();
  if (daemon === undefined) return render(message`libvirt does not run`);
  const isInBackground = daemon.words.some((word) => word === "--daemon" || word === "-d");
  return isInBackground
    ? null
    : render(message`${daemon.program} was started by another program than systemd, which has to restart it`);
}

/** Restarts libvirt: VMs go on running. @throws {DaemonError} */
export async function restartLibvirt(): Promise<void> {
  const daemon = await libvirtDaemon();
  if (await hasSystemd()) {
    const unit = daemon?.program ?? (await isEnabled("virtqemud.socket") ? "virtqemud" : "libvirtd");
    return await run("systemctl", ["restart", `${unit}.service`], SYSTEMCTL_MS);
  }
  if (daemon === undefined) throw new DaemonError(render(message`libvirt does not run`));
  await stop(daemon);
  await startLike(daemon);
}

/** Ends it with SIGTERM and waits. @throws {DaemonError} where it does not end */
async function stop({ pid, program }: Daemon): Promise<void> {
  try {
    Deno.kill(pid, "SIGTERM");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw new DaemonError(messageOf(error), { cause: error });
  }
  for (let waited = 0; !await hasEnded(pid); waited += LOOK_MS) {
    if (waited > END_MS) {
      throw new DaemonError(render(message`${program} did not end within ${END_MS / 1000} seconds`));
    }
    await pause(LOOK_MS);
  }
}

/** Starts a daemon with the words that one had. @throws {DaemonError} */
export async function startLike({ words }: Pick<Daemon, "words">): Promise<void> {
  const [program = "libvirtd", ...args] = words;
  await run(program, args, START_MS);
}

const isEnabled = async (unit: string): Promise<boolean> => {
  try {
    return (await runProgram("systemctl", ["is-enabled", "--quiet", unit], { limitMs: SYSTEMCTL_MS }))
      .success;
  } catch {
    return false; // no systemctl: no unit
  }
};

/** Starts virtlockd where it does not listen, now and with the host. @returns whether it was started @throws {DaemonError} */
export async function startLockd(): Promise<boolean> {
  if (await listensAt(LOCK_SOCKETS.lockd)) return false;
  if (await hasSystemd()) await run("systemctl", ["enable", "--now", "virtlockd.socket"], SYSTEMCTL_MS);
  else await run("virtlockd", ["--daemon", "--pid-file", LOCKD_PID], START_MS);
  if (!await listensAt(LOCK_SOCKETS.lockd)) {
    throw new DaemonError("virtlockd was started, and does not listen");
  }
  return true;
}
