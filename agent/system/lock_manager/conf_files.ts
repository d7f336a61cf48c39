/** libvirt's configuration files, changed one after the other: each whole or not at all, with a copy of what was there. */
import { dirname } from "node:path";
import { changeConf } from "../../../lib/formats/libvirt_conf.ts";
import { LOCK_CONF } from "../../../lib/system/lock_manager/settings.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { undefinedIfMissing } from "../../machine/files.ts";

/** Bytes of the largest that is taken for such a file. */
const LARGEST = 4 * 1024 * 1024;

/** A file could not be read or written as it should be. */
export class ConfFileError extends Error {
  override readonly name = "ConfFileError";
}

/** Changes of a file: setting → value, null for none. */
export type ConfChanges = Readonly<Record<string, number | string | null>>;

/** A file that was changed. */
export interface ChangedFile {
  readonly path: string;
  /** Copy of what was there. */
  readonly backup: string;
  /** Puts back what was there, unless somebody has changed the file since. @throws {ConfFileError} */
  restore(): Promise<void>;
}

/**
 * Keeps every other KVM Manager from changing these files: of two at once each would decide by what was there before, and leases
 * could come to lie in two folders. The lock is on the folder itself (flock): nothing of it can be left over. Never waits.
 *
 * @returns null where another process has it
 */
export async function lockConfFiles(folder = dirname(LOCK_CONF.qemu)): Promise<Disposable | null> {
  const held = await undefinedIfMissing(Deno.open(folder, { read: true }));
  // Without the folder there is nothing to be changed, which is said then
  if (held === undefined) return { [Symbol.dispose]: () => {} };
  try {
    if (await held.tryLock(true)) return held;
  } catch (error) {
    held.close();
    throw new ConfFileError(`${folder} could not be locked: ${messageOf(error)}`, { cause: error });
  }
  held.close();
  return null;
}

interface Read {
  readonly text: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Reads a file of root's; undefined where there is none. @throws {ConfFileError} */
async function read(path: string): Promise<Read | undefined> {
  const info = await undefinedIfMissing(Deno.lstat(path));
  if (info === undefined) return undefined;
  if (!info.isFile) {
    throw new ConfFileError(`${path} is no regular file: whoever put it there has to change it`);
  }
  if (info.size > LARGEST) throw new ConfFileError(`${path} is larger than any of libvirt's files`);
  const bytes = await Deno.readFile(path);
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return { text, mode: (info.mode ?? 0o600) & 0o7777, uid: info.uid ?? 0, gid: info.gid ?? 0 };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new ConfFileError(`${path} is no UTF-8 text`, { cause: error });
  }
}

/** Puts a new file there at once, as whole as it is. */
async function put(path: string, { text, mode, uid, gid }: Read): Promise<void> {
  const temporary = `${path}.kvm-manager-${crypto.randomUUID()}`;
  try {
    using file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o600 });
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await Deno.chown(temporary, uid, gid);
    await Deno.chmod(temporary, mode);
    await file.sync();
    await Deno.rename(temporary, path);
  } catch (error) {
    await undefinedIfMissing(Deno.remove(temporary));
    throw new ConfFileError(`${path} could not be written: ${messageOf(error)}`, { cause: error });
  }
}

/** `qemu.conf.kvm-manager-2026-11-27T19-20-00`, once. */
const backupPath = (path: string, now: number) =>
  `${path}.kvm-manager-${new Date(now).toISOString().slice(0, 19).replaceAll(":", "-")}`;

/** Copies a file's former content. @returns path of the copy */
async function keep(path: string, was: Read, now: number): Promise<string> {
  for (let number = 0;; number++) {
    const backup = backupPath(path, now) + (number === 0 ? "" : `-${number}`);
    if (await undefinedIfMissing(Deno.lstat(backup)) !== undefined) continue;
    await put(backup, was);
    return backup;
  }
}

const EMPTY: Read = { text: "", mode: 0o644, uid: 0, gid: 0 };

/**
 * Changes settings of a file.
 *
 * @param now milliseconds since 1970, for the copy's name
 * @returns undefined where the file says that already
 * @throws {ConfFileError}
 */
export async function changeFile(
  path: string,
  changes: ConfChanges,
  now: number,
): Promise<ChangedFile | undefined> {
  const was = await read(path), before = was ?? EMPTY;
  let text: string;
  try {
    text = Object.entries(changes).reduce(
      (changed, [name, value]) => changeConf(changed, name, value),
      before.text,
    );
  } catch (error) {
    throw new ConfFileError(`${path}, ${messageOf(error)}`, { cause: error });
  }
  if (text === before.text) return undefined;
  const backup = await keep(path, before, now);
  // An editor may have saved it meanwhile: what somebody else wrote is not lost
  if ((await read(path))?.text !== was?.text) {
    await Deno.remove(backup);
    throw new ConfFileError(`${path} was changed by somebody else just now`);
  }
  await put(path, { ...before, text });
  return {
    path,
    backup,
    restore: async () => {
      if ((await read(path))?.text !== text) {
        throw new ConfFileError(
          `${path} was changed by somebody else meanwhile; ${backup} has what was there before`,
        );
      }
      if (was === undefined) await Deno.remove(path);
      else await put(path, was);
      await undefinedIfMissing(Deno.remove(backup));
    },
  };
}
