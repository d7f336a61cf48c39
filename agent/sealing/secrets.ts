/**
 * Secrets at rest: what the database and the data folder keep of them is sealed with a key outside both, and bound to whose
 * it is. Where that key is missing or another one, everything else works: what cannot be read is named, stays as it is,
 * and can be read again once the key is back.
 */
import type { DatabaseSync } from "node:sqlite";
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { ContractError } from "../../lib/contract/errors.ts";
import { messageOf } from "../../lib/text/message.ts";
import { log } from "../log.ts";
import { type Bytes, decryptNow, encryptNow, utf8Bytes } from "./aes_gcm.ts";
import {
  givenCredential,
  KeyFile,
  KeyFileError,
  type Keys,
  newKeyBytes,
  removeLeftovers,
  replaceFile,
} from "./key_file.ts";
import { SEALED_FILES, type SealedPlace } from "./places.ts";
import { message, type Sentence } from "../../lib/i18n/message.ts";
import {
  fieldHolder,
  isSealed,
  type Sealed,
  type SecretRecord,
  type Unread,
  type UnreadSecret,
  valuesIn,
} from "./sealed_values.ts";

const VERSION = "1";
const SEALED_WORD = /^1\.([0-9a-f]{16})\.([A-Za-z0-9_-]+)$/;
/** A file of the key folder while old values may still be in free pages of the database. */
const VACUUM_MARK = "vacuum-pending";
/** How private keys begin and end in files, as they are and sealed. */
const PRIVATE_KEY = /-----BEGIN ([A-Z ]*)PRIVATE KEY-----[^-]+-----END \1PRIVATE KEY-----\n?/g;
const SEALED_KEY =
  /-----BEGIN KVM MANAGER SEALED KEY-----\s+([0-9A-Za-z._-]+)\s+-----END KVM MANAGER SEALED KEY-----\n?/g;

/** The id of a key: tells nothing of it. */
const idOf = (key: Bytes): string =>
  createHash("sha256").update("KVM Manager key id").update(key).digest("hex").slice(0, 16);
/** Id of the key that something is sealed with; undefined for what is no sealed value of this version. */
const keyIdOf = ({ sealed }: Sealed): string | undefined => SEALED_WORD.exec(sealed)?.[1];

const aboutRow = ({ table }: SealedPlace, id: string, field: string) =>
  `KVM Manager secret ${table}/${id}/${field}`;
const aboutFile = (name: string) => `KVM Manager secret file/${name}`;

export class Secrets {
  readonly #file: KeyFile;
  #keys: ReadonlyMap<string, Bytes> = new Map();
  #current: string | undefined;
  /** Why there is no key; the end of a sentence. */
  #fault: string | undefined;
  /** Whether something could not be read when the key was read or replaced: it may have been given again since. */
  #hadUnread = false;
  #isTidied = false;

  /** @param credential from systemd; tests and root's commands bring their own */
  constructor(
    private readonly dataDir: string,
    credential: () => Bytes | undefined = () => givenCredential(),
  ) {
    this.#file = new KeyFile(dataDir, credential);
  }

  /** The file with the key. */
  get keyFile(): string {
    return this.#file.path;
  }

  /** Whether that file is sealed with a systemd credential. @throws {KeyFileError} */
  get isFileSealed(): boolean {
    return this.#file.isSealed;
  }

  /** Id of the key that new secrets are sealed with; undefined until there is one. */
  get keyId(): string | undefined {
    return this.#current;
  }

  /** Why secrets cannot be read or kept, as the end of a sentence; undefined where they can. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /**
   * Reads the key, and seals what is not sealed with it: plain values of before, values of a key that is being replaced.
   * Values that cannot be read stay. Never throws.
   */
  bringUpToDate(database: DatabaseSync): void {
    try {
      // Once: later, another file may just be about to take the place of one
      if (!this.#isTidied) this.#removeLeftovers();
      this.#isTidied = true;
      this.#open(database);
      if (this.#fault === undefined) this.#reseal(database);
    } catch (error) {
      this.#fault ??= messageOf(error);
      log.error("secrets at rest cannot be brought up to date", { error });
    }
    const unread = this.unread(database);
    this.#hadUnread = unread.length > 0;
    for (const { what, remedy } of unread) {
      log.error("a secret cannot be read: its key is missing or another one", {
        what,
        reason: this.#fault ?? "it is sealed with another key",
        remedy: message`put the key back in ${this.keyFile}, or ${remedy}`,
      });
    }
  }

  /** Removes files that a killed replacement has left: a failure is logged, and does not prevent the start. */
  #removeLeftovers(): void {
    for (const path of [this.keyFile, ...SEALED_FILES.map(({ name }) => join(this.dataDir, name))]) {
      try {
        removeLeftovers(path);
      } catch (error) {
        log.warn("what was left of a replaced file cannot be removed: the next start tries again", {
          path,
          error,
        });
      }
    }
  }

  /** Reads the key, where there is one. */
  readKey(): this {
    this.#fault = undefined;
    try {
      this.#use(this.#file.read());
    } catch (error) {
      if (!(error instanceof KeyFileError)) throw error;
      this.#use(undefined);
      this.#fault = error.message;
    }
    return this;
  }

  /** Reads the key. Where there is none, it is missing if something was sealed with it, and made when it is needed otherwise. */
  #open(database: DatabaseSync): void {
    this.readKey();
    if (this.#current !== undefined) this.#file.sealIfPlain();
    if (this.#current !== undefined || this.#fault !== undefined) return;
    const words = [...valuesIn(database)].map(({ value }) => value);
    if (words.some(isSealed) || this.#files().some(({ text }) => text.search(SEALED_KEY) >= 0)) {
      this.#fault = `${this.keyFile} is missing`;
    }
  }

  #use(keys: Keys | undefined): void {
    this.#keys = new Map((keys ?? []).map((key) => [idOf(key), key]));
    this.#current = keys && idOf(keys[0]);
  }

  /** The key for what is sealed from now on, made where it is needed first. @throws {ContractError} EncryptionKeyMissing */
  #currentKey(): { id: string; key: Bytes } {
    if (this.#current === undefined) {
      if (this.#fault !== undefined) throw this.#missing(this.#fault);
      try {
        const keys: Keys = [newKeyBytes()];
        this.#file.write(keys);
        this.#use(keys);
      } catch (error) {
        if (!(error instanceof KeyFileError)) throw error;
        throw this.#missing(error.message, error);
      }
    }
    return { id: this.#current!, key: this.#keys.get(this.#current!)! };
  }

  #missing(reason: Sentence, cause?: unknown): ContractError {
    return new ContractError("EncryptionKeyMissing", { reason }, { cause });
  }

  #seal(about: string, value: unknown): string {
    const { id, key } = this.#currentKey();
    const closed = encryptNow(key, about, utf8Bytes(JSON.stringify(value)));
    return `${VERSION}.${id}.${closed.toBase64({ alphabet: "base64url", omitPadding: true })}`;
  }

  /** @returns undefined where it cannot be read: its key is not there, it was changed, or it is of something else */
  #unseal(about: string, word: string): { readonly value: unknown } | undefined {
    const [, id, text] = SEALED_WORD.exec(word) ?? [],
      key = id === undefined ? undefined : this.#keys.get(id);
    if (key === undefined) return undefined;
    const bytes = decryptNow(key, about, Uint8Array.fromBase64(text!, { alphabet: "base64url" }));
    return bytes && { value: JSON.parse(new TextDecoder().decode(bytes)) as unknown };
  }

  /** A record as it was kept, with its secrets; those that cannot be read are left out, and kept in `unread`. */
  opened<T>(place: SealedPlace, id: string, stored: unknown): T {
    const record = structuredClone(stored) as SecretRecord;
    for (const field of place.fields) {
      const found = fieldHolder(record, field), value = found?.holder[found.name];
      if (found === undefined || !isSealed(value)) continue;
      const { holder, name } = found, plain = this.#unseal(aboutRow(place, id, field), value.sealed);
      if (plain !== undefined) holder[name] = plain.value;
      else {
        delete holder[name];
        holder.unread = { ...holder.unread as Unread | undefined, [name]: value };
      }
    }
    return record as T;
  }

  /**
   * A record as it is to be kept: its secrets sealed, those that could not be read as they were.
   *
   * @throws {ContractError} EncryptionKeyMissing
   */
  closed(place: SealedPlace, id: string, record: object): SecretRecord {
    const kept = structuredClone(record) as SecretRecord;
    const holders = new Set<SecretRecord>();
    for (const field of place.fields) {
      const { holder, name } = fieldHolder(kept, field) ?? {};
      if (holder === undefined || name === undefined) continue;
      holders.add(holder);
      const before = (holder.unread as Unread | undefined)?.[name];
      if (holder[name] !== undefined) {
        holder[name] = { sealed: this.#seal(aboutRow(place, id, field), holder[name]) } satisfies Sealed;
      } else if (before !== undefined) holder[name] = before;
    }
    for (const holder of holders) delete holder.unread;
    return kept;
  }

  /** The text of a file, its private keys sealed. @param name of the file in the data folder @throws {ContractError} EncryptionKeyMissing */
  closedText(name: string, text: string): string {
    return text.replaceAll(
      PRIVATE_KEY,
      (key) =>
        `-----BEGIN KVM MANAGER SEALED KEY-----\n${
          this.#seal(aboutFile(name), key)
        }\n-----END KVM MANAGER SEALED KEY-----\n`,
    );
  }

  /** Opens the keys that {@link closedText} sealed; other text stays. @throws {ContractError} SecretUnreadable */
  openedText(name: string, text: string): string {
    const file = SEALED_FILES.find((each) => each.name === name);
    return text.replaceAll(SEALED_KEY, (_all, word: string) => {
      const opened = this.#unseal(aboutFile(name), word);
      if (typeof opened?.value === "string") return opened.value;
      throw this.unreadable(file?.noun ?? name, file?.remedy);
    });
  }

  /** The error that says why something cannot be read, and what to do. */
  unreadable(what: string, remedy = "give it again"): ContractError {
    const reason = this.#fault ?? `it is sealed with another key than that of ${this.keyFile}`;
    return new ContractError("SecretUnreadable", { what, reason, file: this.keyFile, remedy });
  }

  /** Records with secrets that cannot be read now. */
  unread(database: DatabaseSync): UnreadSecret[] {
    const found = new Map<string, UnreadSecret>();
    const add = (noun: string, title: string | undefined, remedy: string) => {
      const what = title === undefined ? noun : `${noun} ${title}`;
      found.set(what, { what, remedy });
    };
    for (const { place, id, field, value, title } of valuesIn(database)) {
      if (!isSealed(value) || this.#unseal(aboutRow(place, id, field), value.sealed) !== undefined) continue;
      add(place.noun, title, place.remedy);
    }
    for (const { name, noun, remedy, text } of this.#files()) {
      const words = [...text.matchAll(SEALED_KEY)].map(([, word]) => word!);
      if (words.some((word) => this.#unseal(aboutFile(name), word) === undefined)) {
        add(noun, undefined, remedy);
      }
    }
    return [...found.values()];
  }

  /**
   * Replaces the key by a new one, and seals everything with it. Where no key can be read, a new one is made: secrets
   * sealed with the former one stay as they are.
   *
   * @param database that is open for writing
   * @returns the id of the new key
   * @throws {KeyFileError}; any error of SQLite. Both keys are kept then, and the next start finishes
   */
  rotate(database: DatabaseSync): string {
    if (this.#fault !== undefined) {
      const aside = this.#file.putAside();
      log.warn("a new encryption key is made, for the one before cannot be read", {
        reason: this.#fault,
        ...(aside !== undefined && { kept: aside }),
      });
    }
    const before = [...this.#keys.values()], keys: Keys = [newKeyBytes(), ...before];
    this.#file.write(keys);
    this.#use(keys);
    this.#fault = undefined;
    this.#reseal(database);
    this.#hadUnread = this.unread(database).length > 0;
    return this.#current!;
  }

  /** Records that need a user's attention: {@link unread}, without reading again where there were none. */
  attention(database: DatabaseSync): UnreadSecret[] {
    return this.#hadUnread ? this.unread(database) : [];
  }

  /** Seals what is not sealed with the current key, and gives keys up that nothing needs any more. */
  #reseal(database: DatabaseSync): void {
    if (this.#current === undefined && !this.#hasPlain(database)) return;
    this.#currentKey();
    const wasPlain = this.#resealRows(database), werePlain = this.#resealFiles();
    if (wasPlain || werePlain) tellOfCopies(this.dataDir);
    this.#clean(database);
    if (this.#keys.size > 1) {
      const keys: Keys = [this.#keys.get(this.#current!)!];
      this.#file.write(keys);
      this.#use(keys);
    }
  }

  /** Whether there is something to be sealed that never was. */
  #hasPlain(database: DatabaseSync): boolean {
    const isPlain = [...valuesIn(database)].some(({ value }) => !isSealed(value));
    return isPlain || this.#files().some(({ text }) => text.search(PRIVATE_KEY) >= 0);
  }

  /** @returns whether there were secrets in the clear */
  #resealRows(database: DatabaseSync): boolean {
    const rows = new Map<string, { place: SealedPlace; id: string; record: SecretRecord }>();
    let wasPlain = false;
    for (const { place, id, record, field, value } of valuesIn(database)) {
      if (isSealed(value)) {
        if (keyIdOf(value) === this.#current) continue;
        if (this.#unseal(aboutRow(place, id, field), value.sealed) === undefined) continue;
      } else wasPlain = true;
      rows.set(`${place.table} ${id}`, { place, id, record });
    }
    if (rows.size === 0) return false;
    if (wasPlain) Deno.writeTextFileSync(this.#mark, "", { mode: 0o600 });
    database.exec("BEGIN IMMEDIATE");
    try {
      for (const { place, id, record } of rows.values()) {
        const kept = this.closed(place, id, this.opened<SecretRecord>(place, id, record));
        const where = [`${place.key} = ?`, ...(place.where === undefined ? [] : [place.where])].join(" AND ");
        database.prepare(`UPDATE ${place.table} SET ${place.column} = ? WHERE ${where}`)
          .run(JSON.stringify(kept), id);
      }
      database.exec("COMMIT");
    } catch (error) {
      if (database.isTransaction) database.exec("ROLLBACK");
      throw error;
    }
    // What was there before is in frames of the -wal file
    if (!wasPlain) database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    return wasPlain;
  }

  get #mark(): string {
    return join(dirname(this.keyFile), VACUUM_MARK);
  }

  /** Removes what the database holds of values in the clear in its free pages, and in its -wal file. */
  #clean(database: DatabaseSync): void {
    try {
      Deno.lstatSync(this.#mark);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      throw error;
    }
    try {
      database.exec("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
      Deno.removeSync(this.#mark);
    } catch (error) {
      log.warn(
        "secrets of before may be in the free pages of the database still: the next start tries again",
        {
          error,
        },
      );
    }
  }

  /** @returns whether there were keys in the clear */
  #resealFiles(): boolean {
    let wasPlain = false;
    for (const { name, path, text, mtime } of this.#files()) {
      const isPlain = text.search(PRIVATE_KEY) >= 0;
      const isOther = [...text.matchAll(SEALED_KEY)].some(([, word]) =>
        keyIdOf({ sealed: word! }) !== this.#current && this.#unseal(aboutFile(name), word!) !== undefined
      );
      if (!isPlain && !isOther) continue;
      wasPlain ||= isPlain;
      replaceFile(path, this.closedText(name, this.openedText(name, text)), mtime ?? undefined);
    }
    return wasPlain;
  }

  /** The files that there are. One that is a link is somebody else's. */
  #files() {
    return SEALED_FILES.flatMap((file) => {
      const path = join(this.dataDir, file.name);
      try {
        const { isFile, mtime } = Deno.lstatSync(path);
        return isFile ? [{ ...file, path, mtime, text: Deno.readTextFileSync(path) }] : [];
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return [];
        throw error;
      }
    });
  }
}

/** Seals files of a data folder whose database is not open here: with the key that there is at each moment. */
export const fileSealing = (dataDir: string): Pick<Secrets, "closedText" | "openedText" | "keyId"> => ({
  get keyId() {
    return new Secrets(dataDir).readKey().keyId;
  },
  closedText: (name, text) => new Secrets(dataDir).readKey().closedText(name, text),
  openedText: (name, text) => new Secrets(dataDir).readKey().openedText(name, text),
});

/** Copies of the database of before have its secrets in the clear: whoever keeps them should know. */
function tellOfCopies(dataDir: string): void {
  const copies = [...Deno.readDirSync(dataDir)].map(({ name }) => name)
    .filter((name) => /^(kvm-manager\.(before-upgrade-\d+|rescued-.+)\.db|replaced-.+)$/.test(name));
  log.info("the secrets of the database and the private keys were sealed", { folder: dataDir });
  if (copies.length === 0) return;
  log.warn("copies of before have secrets in the clear: remove them once they are not needed any more", {
    folder: dataDir,
    copies,
  });
}
