/** The lock of the data folder: one process at a time settles, writes and restores what lies there. */
import { clauseOf } from "../../lib/text/message.ts";
import { message, render } from "../../lib/i18n/message.ts";
import { oneLine } from "../../lib/text/text.ts";
import { asOwner } from "./as_owner.ts";
import { StoreError } from "./database.ts";

/** Characters of a command line that are told. */
const MOST_COMMAND = 200;

/** Another process works in the data folder. */
export class FolderInUse extends StoreError {}

/**
 * Locks a data folder until the lock is disposed of or this process ends, however it ends. The lock is on the folder
 * itself (flock): no file of it can be left over, and none can be removed under it. Never waits.
 *
 * @throws {FolderInUse} naming the process that holds it
 * @throws {StoreError} when the folder cannot be made or opened
 */
export async function lockDataFolder(dataDir: string): Promise<Disposable> {
  const folder = await opened(dataDir);
  try {
    if (await folder.tryLock(true)) return folder;
    throw new FolderInUse(await inUse(dataDir, folder));
  } catch (error) {
    folder.close();
    throw error instanceof StoreError ? error : unusable(dataDir, error);
  }
}

async function opened(dataDir: string): Promise<Deno.FsFile> {
  try {
    await Deno.mkdir(dataDir, { recursive: true, mode: 0o700 });
    return await asOwner(dataDir, () => Deno.open(dataDir, { read: true }));
  } catch (error) {
    throw unusable(dataDir, error);
  }
}

const unusable = (dataDir: string, error: unknown) =>
  new StoreError(
    render(message`the data folder ${dataDir} cannot be used (${clauseOf(error)}). Nothing was changed`),
    { cause: error },
  );

async function inUse(dataDir: string, folder: Deno.FsFile): Promise<string> {
  const { ino } = await folder.stat();
  const pid = holderIn(await Deno.readTextFile("/proc/locks"), ino ?? 0);
  const who = pid === undefined ? message`another process` : message`process ${pid}${await commandOf(pid)}`;
  return render(
    message`the data folder ${dataDir} is in use by ${who}. Two servers on one folder would damage each other's work. Stop the other one (systemctl stop kvm-manager, where it is the service), or use a folder of its own: --data-dir, or KVMM_DATA_DIR. Nothing was changed`,
  );
}

/**
 * The process that has an exclusive flock on a file, by the text of `/proc/locks`: undefined where it is in another PID
 * namespace. The device's number is not compared: some file systems show another one there than stat(2) does.
 */
export function holderIn(locks: string, ino: number): number | undefined {
  for (const line of locks.split("\n")) {
    const [, kind, , access, pid, file] = line.trim().split(/\s+/);
    if (kind !== "FLOCK" || access !== "WRITE" || file?.split(":")[2] !== String(ino)) continue;
    const holder = Number(pid);
    return holder > 0 ? holder : undefined;
  }
  return undefined;
}

/** The words of a command line; of a script, those that were given to it. */
function ownWords(words: readonly string[]): readonly string[] {
  const script = words.findLastIndex((word) => /\.m?[jt]s$/.test(word));
  return script < 0 ? words : ["kvm-manager", ...words.slice(script + 1)];
}

/** How a process was started, in brackets; empty where that cannot be read: it may have ended meanwhile. */
async function commandOf(pid: number): Promise<string> {
  try {
    const line = await Deno.readTextFile(`/proc/${pid}/cmdline`);
    const words = ownWords(line.split("\0").filter((word) => word !== ""));
    return words.length === 0 ? "" : ` (${oneLine(words.join(" "), MOST_COMMAND)})`;
  } catch {
    return "";
  }
}
