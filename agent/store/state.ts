/**
 * The product's own state – database, keys, settings – saved into one file and put back. The file is a tar: a manifest
 * with the versions and a checksum of each part, then the parts. It holds secrets, so only its owner can read it.
 */
import { parseJson } from "../../lib/text/json.ts";
import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { messageOf } from "../../lib/text/message.ts";
import { state } from "../../lib/i18n/en/state.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { readTar, type TarEntry, writeTar } from "../../lib/formats/tar/tar.ts";
import { VERSION } from "../../lib/version.ts";
import { writeAll } from "../../lib/write_all.ts";
import { log } from "../log.ts";
import { asOwner } from "./as_owner.ts";
import { checker } from "../../lib/typebox/compile.ts";
import { Encryption } from "../../lib/backup/description.ts";
import type { Bytes } from "../sealing/aes_gcm.ts";
import { givenCredential, KeyFile, KeyFileError } from "../sealing/key_file.ts";
import { closeByPassphrase, type ScryptCost } from "../sealing/passphrase.ts";
import { secretsIn, type UnreadSecret } from "../sealing/sealed_values.ts";
import { copyInto, DATABASE_FILE, KNOWN_VERSION, versionOf } from "./database.ts";

const { t } = textsOf(state);

/** It cannot be saved or put back: what, why, what to do. */
export class StateError extends Error {
  override readonly name = "StateError";
}

const MANIFEST = "manifest.json";
/** Name of the settings among the parts; the files of the data folder are below `data/`. */
export const SETTINGS_PART = "config.toml";
/** Name of the encryption key among the parts, closed by a passphrase. */
export const KEY_PART = "encryption-key.json";
/** Context that the key is bound to. */
export const ABOUT_KEY = "KVM Manager state key";
export const isClosedKey = checker(Encryption);
/** Folder of encryption keys in a data folder: where it is, a saved state does not have it. */
const KEY_FOLDER = "key";
/** Files of the data folder larger than this are no state of ours. */
const MOST_BYTES = 1 << 20;
/** A state is some megabytes; a file beyond this is none. */
const MOST_STATE = 2 ** 31;
/** Note of the last time it was saved, in the data folder. */
const NOTE = "last-backup.json";

interface Manifest {
  readonly kind: "kvm-manager-state";
  readonly version: string;
  readonly database: number;
  /** ISO 8601. */
  readonly createdAt: string;
  /** SHA-256 of each part, in hex. */
  readonly parts: Readonly<Record<string, string>>;
}

/** Folder and settings file of the state. */
export interface StatePlace {
  readonly dataDir: string;
  /** The file with the settings. */
  readonly config: string;
}

/** Summary of a saved state. */
export interface StateSummary {
  /** Whether it has the key of its secrets, closed by a passphrase. */
  readonly hasKey: boolean;
  readonly version: string;
  readonly database: number;
  readonly createdAt: string;
  readonly bytes: number;
}

const sum = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Files of the data folder other than the database: keys, certificates. Notes and older copies do not count. */
async function* smallFiles(folder: string, below = ""): AsyncGenerator<{ name: string; path: string }> {
  for await (const { name, isDirectory, isFile } of Deno.readDir(join(folder, below))) {
    const inner = below === "" ? name : `${below}/${name}`;
    if (isDirectory && !/^(replaced-|\.)/.test(name) && inner !== KEY_FOLDER) {
      yield* smallFiles(folder, inner);
    }
    if (!isFile || name === NOTE || name.startsWith("kvm-manager.") || name.startsWith(".")) continue;
    const path = join(folder, inner);
    if ((await Deno.stat(path)).size <= MOST_BYTES) yield { name: inner, path };
  }
}

/** A consistent copy of the database's bytes, taken while it is in use; and what of it is sealed. */
function databaseBytes(dataDir: string): { bytes: Uint8Array; version: number; sealed: UnreadSecret[] } {
  const path = join(dataDir, DATABASE_FILE);
  // Next to the database: /tmp may be small, and is everyone's
  const folder = Deno.makeTempDirSync({ dir: dataDir, prefix: ".backup-" });
  try {
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      database.exec("PRAGMA busy_timeout = 5000");
      copyInto(database, join(folder, "copy.db"));
      const bytes = Deno.readFileSync(join(folder, "copy.db"));
      return { bytes, version: versionOf(database), sealed: secretsIn(database) };
    } finally {
      database.close();
    }
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** How the key of the secrets in a state is had: root asks systemd for the credential that seals the key's file. */
export interface StateKey {
  /** Closes the key in the saved file. */
  readonly passphrase?: string | undefined;
  readonly credential?: () => Bytes | undefined;
  /** Of scrypt; tests take less. */
  readonly cost?: ScryptCost;
}

/** The encryption key, closed by a passphrase. @throws {StateError} if it cannot be read */
async function closedKey(
  dataDir: string,
  { passphrase, credential, cost }: StateKey & { passphrase: string },
) {
  try {
    const keys = await asOwner(
      dataDir,
      () => new KeyFile(dataDir, credential ?? (() => givenCredential())).read(),
    );
    if (keys === undefined) return undefined;
    // One is being replaced: some values need the one before still
    if (keys.length > 1) throw new StateError(t("state.key_being_replaced"));
    return await closeByPassphrase(passphrase, ABOUT_KEY, keys[0], cost);
  } catch (error) {
    if (!(error instanceof KeyFileError)) throw error;
    throw new StateError(t("state.no_key", { reason: error.message }), { cause: error });
  }
}

/** Content of a saved state in addition to its manifest. */
interface Collected {
  readonly entries: readonly TarEntry[];
  readonly version: number;
  readonly sealed: readonly UnreadSecret[];
  readonly closed: Encryption | undefined;
}

/** How often a state is collected again whose key was replaced meanwhile. */
const MOST_TRIES = 3;

/** All parts, sealed with one key. @throws {StateError} */
async function collected(place: StatePlace, key: StateKey): Promise<Collected> {
  const { dataDir } = place, file = new KeyFile(dataDir, () => undefined);
  const markOf = async () => {
    try {
      return await asOwner(dataDir, () => file.mark());
    } catch (error) {
      return messageOf(error); // of the folder: said where its files are read
    }
  };
  for (let tries = 1; tries <= MOST_TRIES; tries++) {
    const before = await markOf(), parts = await collect(place, key);
    // Of a key that was replaced meanwhile the database, or the files next to it, would have the one that is gone
    if (before === await markOf()) return parts;
  }
  throw new StateError(t("state.key_being_replaced"));
}

async function collect({ dataDir, config }: StatePlace, key: StateKey): Promise<Collected> {
  const entries: TarEntry[] = [];
  const add = (name: string, content: Uint8Array) => entries.push({ name, mode: 0o600, content });
  let version: number, sealed: UnreadSecret[];
  try {
    ({ version, sealed } = await asOwner(dataDir, async () => {
      const { bytes, version, sealed } = databaseBytes(dataDir);
      add(`data/${DATABASE_FILE}`, bytes);
      for await (const { name, path } of smallFiles(dataDir)) add(`data/${name}`, await Deno.readFile(path));
      return { version, sealed };
    }));
  } catch (error) {
    if (error instanceof StateError) throw error;
    throw new StateError(t("state.unreadable", { folder: dataDir, reason: messageOf(error) }), {
      cause: error,
    });
  }
  try {
    add(SETTINGS_PART, await Deno.readFile(config));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw new StateError(messageOf(error), { cause: error });
  }
  const { passphrase } = key;
  const closed = passphrase === undefined ? undefined : await closedKey(dataDir, { ...key, passphrase });
  if (closed !== undefined) add(KEY_PART, new TextEncoder().encode(JSON.stringify(closed)));
  return { entries, version, sealed, closed };
}

/**
 * Saves the state into a new file. The server may run.
 *
 * @returns a summary, and the parts that have secrets
 * @throws {StateError} when there is no database, the file exists, or cannot be written; when its key cannot
 *   be read
 */
export async function saveState(
  { dataDir, config }: StatePlace,
  file: string,
  key: StateKey = {},
): Promise<StateSummary & { readonly sealed: readonly UnreadSecret[] }> {
  const createdAt = new Date().toISOString();
  const { entries, version, sealed, closed } = await collected({ dataDir, config }, key);
  const manifest: Manifest = {
    kind: "kvm-manager-state",
    version: VERSION,
    database: version,
    createdAt,
    parts: Object.fromEntries(entries.map(({ name, content }) => [name, sum(content)])),
  };
  const head = new TextEncoder().encode(`${JSON.stringify(manifest, null, 1)}\n`);
  const bytes = writeTar([{ name: MANIFEST, mode: 0o600, content: head }, ...entries]);
  await writeNew(file, bytes);
  await noteBackup(dataDir, { file, createdAt });
  const hasKey = closed !== undefined;
  return { version: VERSION, database: version, createdAt, bytes: bytes.length, hasKey, sealed };
}

async function writeNew(file: string, bytes: Uint8Array): Promise<void> {
  try {
    using out = await Deno.open(file, { write: true, createNew: true, mode: 0o600 });
    try {
      await writeAll(out, bytes);
      await out.sync();
    } catch (error) {
      await Deno.remove(file);
      throw error;
    }
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      throw new StateError(t("state.exists", { file }));
    }
    throw new StateError(t("state.unwritable", { file, reason: messageOf(error) }), { cause: error });
  }
}

/** A note that cannot be written is worth no failure: the state was saved. */
async function noteBackup(dataDir: string, note: { file: string; createdAt: string }): Promise<void> {
  const text = `${JSON.stringify(note)}\n`;
  try {
    await asOwner(dataDir, () => Deno.writeTextFile(join(dataDir, NOTE), text, { mode: 0o600 }));
  } catch (error) {
    log.warn("the state was saved, but no note of it could be written", { error });
  }
}

/** When and where the state was saved last; undefined when it never was. */
export async function lastBackup(dataDir: string): Promise<{ file: string; createdAt: string } | undefined> {
  try {
    const note = parseJson(await Deno.readTextFile(join(dataDir, NOTE)));
    const { file, createdAt } = note as Record<string, unknown>;
    return typeof file === "string" && typeof createdAt === "string" ? { file, createdAt } : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function manifestOf(bytes: Uint8Array | undefined): Manifest {
  let value: Partial<Manifest> | null = null;
  try {
    value = parseJson(new TextDecoder().decode(bytes)) as Partial<Manifest>;
  } catch {
    value = null; // said below
  }
  const { kind, version, database, createdAt, parts } = value ?? {};
  if (
    kind !== "kvm-manager-state" || typeof version !== "string" || typeof createdAt !== "string" ||
    !Number.isSafeInteger(database) || typeof parts !== "object" || parts === null
  ) throw new Error(t("state.no_manifest"));
  return value as Manifest;
}

/**
 * Reads a saved state, and makes sure that it is whole and not too new. A plain database, as it is copied before an
 * upgrade, is one as well.
 *
 * @throws {StateError}
 */
function readState(file: string): { summary: StateSummary; parts: Map<string, Uint8Array> } {
  let parts: Map<string, Uint8Array>, manifest: Manifest;
  try {
    const { size } = Deno.statSync(file);
    if (size > MOST_STATE) throw new Error(t("state.too_large"));
    const bytes = Deno.readFileSync(file);
    if (new TextDecoder().decode(bytes.subarray(0, 15)) === "SQLite format 3") {
      parts = new Map([[`data/${DATABASE_FILE}`, bytes]]);
      manifest = {
        kind: "kvm-manager-state",
        version: "?",
        database: new DataView(bytes.buffer).getUint32(60), // user_version: sqlite.org/fileformat, 1.3
        createdAt: (Deno.statSync(file).mtime ?? new Date(0)).toISOString(),
        parts: {},
      };
    } else {
      parts = readTar(bytes);
      manifest = manifestOf(parts.get(MANIFEST));
      parts.delete(MANIFEST);
      const names = Object.keys(manifest.parts);
      if (names.length !== parts.size) throw new Error(t("state.parts_missing"));
      for (const name of names) {
        const part = parts.get(name);
        if (!part || sum(part) !== manifest.parts[name]) throw new Error(t("state.part_wrong", { name }));
        if (name !== SETTINGS_PART && name !== KEY_PART && !name.startsWith("data/")) {
          throw new Error(t("state.foreign_part", { name }));
        }
      }
    }
    if (!parts.has(`data/${DATABASE_FILE}`) || manifest.database < 1) throw new Error(t("state.no_database"));
  } catch (error) {
    throw new StateError(t("state.damaged_file", { file, reason: messageOf(error) }), {
      cause: error,
    });
  }
  if (manifest.database > KNOWN_VERSION) {
    throw new StateError(
      t("state.newer", {
        file,
        version: manifest.version,
        database: manifest.database,
        known: KNOWN_VERSION,
      }),
    );
  }
  const { version, database, createdAt } = manifest;
  const hasKey = parts.has(KEY_PART);
  return { summary: { version, database, createdAt, bytes: Deno.statSync(file).size, hasKey }, parts };
}

/** Reads a saved state; one that lies in the data folder could be a link of the service's to what is root's alone. */
export async function readSafely(dataDir: string, file: string): Promise<ReturnType<typeof readState>> {
  const isBelow = resolve(file).startsWith(`${resolve(dataDir)}/`);
  return isBelow ? await asOwner(dataDir, () => readState(file)) : readState(file);
}

/**
 * Content that a restore of a file would bring back. @throws {StateError} when it is no saved state, damaged,
 * or too new
 */
export async function inspectState({ dataDir }: StatePlace, file: string): Promise<StateSummary> {
  return (await readSafely(dataDir, file)).summary;
}
