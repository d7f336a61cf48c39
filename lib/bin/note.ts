/**
 * The note next to the files of an entry: what they were, for a database that does not know of them any more. It holds no
 * secret: whoever reads the pool's disks learns no password of a screen. Pure.
 */
import { checker } from "../typebox/compile.ts";
import { StoredEntry } from "./entry.ts";
import Type from "typebox";

/** Bytes of a note that are read at most: a definition with many snapshots takes a tenth of it. */
export const MOST_NOTE_BYTES = 16 * 1024 ** 2;
const VERSION = 1;

const isNote = checker(Type.Object({ version: Type.Literal(VERSION), entry: StoredEntry }));

/** @param entry without secrets in its definition */
export function writeNote(entry: StoredEntry): string {
  return JSON.stringify({ version: VERSION, entry });
}

/**
 * The entry that a note describes; undefined for what is no note of that entry.
 *
 * @param id as its file is named
 * @param folder where it was found: a note speaks for the files next to it alone
 */
export function readNote(text: string, id: string, folder: string): StoredEntry | undefined {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return undefined; // somebody else's file, or one that was never written whole
  }
  if (!isNote(read)) return undefined;
  const { entry } = read as { entry: StoredEntry };
  if (entry.id !== id) return undefined;
  const files = entry.files.filter(({ path, as }) =>
    path.slice(0, path.lastIndexOf("/")) === folder && as.startsWith(`${id}.`)
  );
  return { ...entry, files, state: "kept", found: true };
}
