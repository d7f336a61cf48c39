/**
 * The keys that secrets at rest are sealed with, in a file of their own, outside what backs the data folder up. Where
 * systemd gives the service a credential, the file itself is sealed with it: copied alone, it opens nothing.
 */
import { createHash, hkdfSync, randomBytes } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { CREDENTIAL_FILE, CREDENTIAL_NAME } from "../../lib/system/install/credential.ts";
import { keyFolders } from "../../lib/system/install/layout.ts";
import { messageOf } from "../../lib/text/message.ts";
import { runProgram } from "../machine/programs.ts";
import { type Bytes, decryptNow, encryptNow, KEY_BYTES, utf8Bytes } from "./aes_gcm.ts";

const KIND = "kvm-manager-encryption-keys", VERSION = 1, FILE = "encryption.keys";
/** Context that a sealed file is bound to. */
const ABOUT = "KVM Manager encryption keys";
/** Bytes of a credential, at least: fewer are no key. */
const LEAST_CREDENTIAL = 16;
/** Milliseconds for systemd-creds, which may ask a TPM. */
const CREDENTIAL_MS = 30_000;
const HEX_KEY = /^[0-9a-f]{64}$/;

/** The keys cannot be used. The message is the end of a sentence: what, why, what to do. */
export class KeyFileError extends Error {
  override readonly name = "KeyFileError";
}

/** Keys, the current one first. */
export type Keys = readonly [Bytes, ...Bytes[]];

export const newKeyBytes = (): Bytes => new Uint8Array(randomBytes(KEY_BYTES));

/** Key of the right size from a credential's content, whatever its format. */
const keyOfCredential = (content: Bytes): Bytes =>
  new Uint8Array(hkdfSync("sha256", content, "", "KVM Manager encryption keys", KEY_BYTES));

/** The credential that systemd has given this process; undefined where there is none. @throws {KeyFileError} */
export function givenCredential(folder = Deno.env.get("CREDENTIALS_DIRECTORY")): Bytes | undefined {
  if (folder === undefined || folder === "") return undefined;
  const path = join(folder, CREDENTIAL_NAME);
  try {
    const content = Deno.readFileSync(path);
    if (content.length >= LEAST_CREDENTIAL) return content;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new KeyFileError(`the systemd credential ${path} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  throw new KeyFileError(
    `the systemd credential ${CREDENTIAL_NAME} is shorter than ${LEAST_CREDENTIAL} bytes`,
  );
}

/**
 * The credential of the service, as root has systemd open it; undefined where there is none, or this is not root.
 *
 * @throws {KeyFileError} where systemd cannot open it
 */
export async function hostCredential(file = CREDENTIAL_FILE): Promise<Bytes | undefined> {
  const given = givenCredential();
  if (given !== undefined || Deno.uid() !== 0 || !isThere(file)) return given;
  const opened = async () => {
    try {
      return await runProgram("systemd-creds", ["decrypt", `--name=${CREDENTIAL_NAME}`, file, "-"], {
        limitMs: CREDENTIAL_MS,
      });
    } catch (error) {
      throw new KeyFileError(`${file} cannot be opened: ${messageOf(error)}`, { cause: error });
    }
  };
  const { success, stdout, stderr } = await opened();
  if (success) return utf8Bytes(stdout);
  throw new KeyFileError(`systemd-creds cannot open ${file} on this host: ${stderr.trim()}`);
}

interface Stored {
  readonly kind: typeof KIND;
  readonly version: number;
  readonly keys?: readonly string[];
  /** Hexadecimal: the list of keys as JSON, sealed with the credential. */
  readonly sealed?: string;
}

function keysIn(value: unknown): Keys | undefined {
  const isKeys = Array.isArray(value) && value.length > 0 &&
    value.every((each) => typeof each === "string" && HEX_KEY.test(each));
  return isKeys ? (value as string[]).map((each) => Uint8Array.fromHex(each)) as unknown as Keys : undefined;
}

function storedIn(text: string): Stored | undefined {
  try {
    const value = JSON.parse(text) as Partial<Stored> | null;
    return value?.kind === KIND ? value as Stored : undefined;
  } catch {
    return undefined; // said by who asks
  }
}

export class KeyFile {
  /** @param credential from systemd; undefined where there is none */
  constructor(private readonly dataDir: string, private readonly credential: () => Bytes | undefined) {}

  /** Path of the file, or of the one to be made. Makes no file: the caller may run as another user. */
  get path(): string {
    const paths = this.#paths;
    return paths.find(isThere) ?? paths.find((path) => isFolder(dirname(path))) ?? paths.at(-1)!;
  }

  get #paths(): readonly string[] {
    return keyFolders(this.dataDir).map((folder) => join(folder, FILE));
  }

  /** Path of the file, or one at which it can be made. */
  #placeToWrite(): string {
    const paths = this.#paths;
    return paths.find(isThere) ?? paths.find((path) => canHold(dirname(path))) ?? paths.at(-1)!;
  }

  /** Whether the file is sealed with a credential of systemd. */
  get isSealed(): boolean {
    return this.#stored()?.sealed !== undefined;
  }

  /** The keys; undefined where there is no file. @throws {KeyFileError} */
  read(): Keys | undefined {
    const stored = this.#stored();
    if (stored === undefined) return undefined;
    const { path } = this;
    if (stored.version !== VERSION) throw new KeyFileError(`${path} was written by a newer KVM Manager`);
    if (stored.sealed === undefined) {
      const keys = keysIn(stored.keys);
      if (keys === undefined) throw new KeyFileError(`${path} is damaged`);
      return keys;
    }
    const credential = this.credential();
    if (credential === undefined) {
      throw new KeyFileError(
        `${path} is sealed with the systemd credential ${CREDENTIAL_NAME}, which this process was not given`,
      );
    }
    const keys = openKeys(credential, stored.sealed);
    if (keys === undefined) {
      throw new KeyFileError(
        `${path} is not sealed with the systemd credential ${CREDENTIAL_NAME} that there is now`,
      );
    }
    return keys;
  }

  /** Seals a plain file with the credential, where there is one: the service does, root's commands do not. @throws {KeyFileError} */
  sealIfPlain(): void {
    const keys = this.isSealed || this.credential() === undefined ? undefined : this.read();
    if (keys !== undefined) this.write(keys);
  }

  /**
   * Puts keys in the place of what is there, whole.
   *
   * @param isSealed whether the file is sealed with the credential, where there is one
   * @throws {KeyFileError}
   */
  write(keys: Keys, isSealed = true): void {
    const path = this.#placeToWrite(), list = keys.map((key) => key.toHex());
    try {
      const credential = isSealed ? this.credential() : undefined;
      const stored: Stored = credential === undefined
        ? { kind: KIND, version: VERSION, keys: list }
        : { kind: KIND, version: VERSION, sealed: sealKeys(credential, list) };
      Deno.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      replaceFile(path, `${JSON.stringify(stored)}\n`);
    } catch (error) {
      if (error instanceof KeyFileError) throw error;
      throw new KeyFileError(`${path} cannot be written: ${messageOf(error)}`, { cause: error });
    }
  }

  /** Moves a file that cannot be used aside, where there is one. @returns its new path */
  putAside(): string | undefined {
    const { path } = this;
    if (!isThere(path)) return undefined;
    const aside = `${path}.unreadable-${new Date().toISOString().replaceAll(/[:.]/g, "-")}`;
    Deno.renameSync(path, aside);
    return aside;
  }

  /** Mark that differs once the file is another one, also where it cannot be read. */
  mark(): string {
    try {
      return createHash("sha256").update(Deno.readFileSync(this.path)).digest("hex");
    } catch (error) {
      return messageOf(error);
    }
  }

  #stored(): Stored | undefined {
    const { path } = this;
    let text: string;
    try {
      text = Deno.readTextFileSync(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw new KeyFileError(`${path} cannot be read: ${messageOf(error)}`, { cause: error });
    }
    const stored = storedIn(text);
    if (stored === undefined) throw new KeyFileError(`${path} is damaged`);
    return stored;
  }
}

const sealKeys = (credential: Bytes, list: readonly string[]): string =>
  encryptNow(keyOfCredential(credential), ABOUT, utf8Bytes(JSON.stringify(list))).toHex();

function openKeys(credential: Bytes, sealed: string): Keys | undefined {
  if (!/^([0-9a-f]{2})+$/.test(sealed)) return undefined;
  const bytes = decryptNow(keyOfCredential(credential), ABOUT, Uint8Array.fromHex(sealed));
  return bytes && keysIn(JSON.parse(new TextDecoder().decode(bytes)));
}

function isThere(path: string): boolean {
  try {
    return Deno.lstatSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) return false;
    throw error;
  }
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) return false;
    throw error;
  }
}

/** Whether a file can be made in a folder, which is made where it can be. */
function canHold(folder: string): boolean {
  const probe = join(folder, `.probe-${crypto.randomUUID()}`);
  try {
    Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
    Deno.openSync(probe, { write: true, createNew: true, mode: 0o600 }).close();
    Deno.removeSync(probe);
    return true;
  } catch {
    return false; // the next place is tried, and the last one says what is wrong
  }
}

/**
 * Puts a file in its place, whole and on the disk, and overwrites what was there. (A file system that copies on writing, or
 * a disk that moves its blocks, keeps what was there for a while nonetheless.)
 */
export function replaceFile(path: string, text: string, mtime?: Date): void {
  const made = `${path}.${crypto.randomUUID().slice(0, 8)}`, was = opened(path);
  try {
    {
      using file = Deno.openSync(made, { write: true, createNew: true, mode: 0o600 });
      const bytes = new TextEncoder().encode(text);
      for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
      if (mtime !== undefined) file.utimeSync(mtime, mtime);
      file.syncSync();
    }
    Deno.renameSync(made, path);
    // Not by `using`: the bundler would put the folder into the statement that reads it once
    const folder = Deno.openSync(dirname(path));
    try {
      folder.syncSync();
    } finally {
      folder.close();
    }
    if (was !== undefined) erase(was);
  } catch (error) {
    try {
      Deno.removeSync(made);
    } catch (left) {
      if (!(left instanceof Deno.errors.NotFound)) throw left;
    }
    throw error;
  } finally {
    was?.close();
  }
}

/** Removes what {@link replaceFile} has left next to a file when it was killed: keys of before would stay there for good. */
export function removeLeftovers(path: string): void {
  const folder = dirname(path), start = `${basename(path)}.`;
  for (const { name, isFile } of entriesOf(folder)) {
    if (!isFile || !name.startsWith(start) || !/^[0-9a-f]{8}$/.test(name.slice(start.length))) continue;
    const left = join(folder, name);
    {
      using file = Deno.openSync(left, { read: true, write: true });
      erase(file);
    }
    Deno.removeSync(left);
  }
}

function entriesOf(folder: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(folder)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

function opened(path: string): Deno.FsFile | undefined {
  try {
    return Deno.openSync(path, { read: true, write: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Overwrites a file's content. */
function erase(file: Deno.FsFile): void {
  const zeros = new Uint8Array(file.statSync().size);
  file.seekSync(0, Deno.SeekMode.Start);
  for (let at = 0; at < zeros.length;) at += file.writeSync(zeros.subarray(at));
  file.syncSync();
}
