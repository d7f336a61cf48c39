/**
 * A store of backups: files by name, below one place. Their meaning is defined by the repository
 * (`../repository.ts`); a store moves them there and back. Answers of a store are from outside: names are
 * checked, sizes have limits, and content is trusted only after its checksum was compared.
 */
import { ContractError } from "../../../lib/contract/errors.ts";
import type { Sentence } from "../../../lib/i18n/message.ts";

/** A file of a store. */
export interface StoredFile {
  /** Below the store's root: `chunks/ab/abcd…`. */
  readonly name: string;
  readonly bytes: number;
}

/** Copies by their ids: those that are whole, and those that something is left of. */
export interface Groups {
  readonly whole: readonly string[];
  readonly partial: readonly string[];
}

/** A store that somebody has to himself, or with others who read. */
export interface StoreLock {
  /** Whether it was held without a gap up to now; once it was not, it never is again: somebody else may have had it. */
  isHeld(): boolean;
  release(): Promise<void>;
}

/** Kind of lock: `write` for writers, `content` for readers, and for a deletion (alone). */
export type LockName = "write" | "content";

/** Files of one group by their names. */
export type GroupFiles = readonly (readonly [name: string, bytes: Uint8Array<ArrayBuffer>])[];

/**
 * Files by name. Names are made of letters, digits, `.`, `-` and `_`, with `/` between their parts. Every method throws
 * {@link ContractError} BackupFolderUnusable or BackupTargetUnusable where the store cannot be worked with; who has ended
 * the work, throws the reason of the signal.
 */
export interface BackupStore {
  /** Its path or address, for people, without secrets. */
  readonly label: string;
  /** Whether a question takes long: then what is there is asked for once, in a list. */
  readonly isRemote: boolean;
  /** Makes it ready to be written to, where it is not. */
  make(): Promise<void>;
  /** Looks whether it is there, and changes nothing. */
  open(): Promise<void>;
  /** The files below a folder, at any depth, in no order. */
  list(folder: string): AsyncIterable<StoredFile>;
  /** Bytes of a file; undefined where there is none. */
  sizeOf(name: string): Promise<number | undefined>;
  /**
   * The content of a file.
   *
   * @param most bytes that it may have
   * @throws {Deno.errors.NotFound} @throws {FileRefused} for what is larger, or no file
   */
  read(name: string, most: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Writes a file, whole or not at all; one that is there is replaced. */
  write(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Gives a file another name; none that is there. */
  move(from: string, to: string): Promise<void>;
  /** Deletes a file; none is well, too. */
  remove(name: string): Promise<void>;
  /** The copies that there are. */
  groups(): Promise<Groups>;
  /** Notes that a copy is being made, so that what it leaves is found. */
  beginGroup(id: string): Promise<void>;
  /** Writes the files of a copy: it is whole once the last one is there, and everything written before lasts. */
  finishGroup(id: string, files: GroupFiles): Promise<void>;
  /** Deletes a copy: at once it is none any more. */
  removeGroup(id: string): Promise<void>;
  /** Deletes what is left of one that is not whole. */
  abandonGroup(id: string): Promise<void>;
  /** Bytes that can be written yet; undefined where that is not known. */
  freeBytes(): Promise<number | undefined>;
  /**
   * Takes the store, for as long as no other session has it so.
   *
   * @param alone no other session may have it meanwhile
   * @returns undefined where somebody else has it
   */
  lock(what: LockName, alone: boolean): Promise<StoreLock | undefined>;
  /** Ends its connections. */
  close(): Promise<void>;
}

/** The folder that copies are in. */
export const COPIES = "copies";
/** Prefix of the name of an incomplete copy. */
export const PARTIAL = "partial-";
/** The file that a copy is whole with. */
export const LAST_FILE = "manifest.json";

/** Whether a name can be one of ours: no store leads us to another place by one. */
export const isStoreName = (name: string): boolean =>
  name.length <= 255 && /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*){0,3}$/.test(name);

/** A target that cannot be worked with. @param reason the end of a sentence */
export const targetUnusable = (target: string, reason: Sentence, cause?: unknown): ContractError =>
  new ContractError("BackupTargetUnusable", { target, reason }, { cause });
