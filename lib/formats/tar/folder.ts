/**
 * A folder as a tar file that is read while it arrives: folders and regular files below it. Whoever sends it is not
 * trusted: no name leads out of the folder, and nothing is held but a piece of it. Pure.
 */
import { joined } from "../../bytes.ts";
import {
  ArchiveError,
  extendedIn,
  headNumber,
  headText,
  MOST_EXTENDED,
  requireSum,
  sizeOf,
} from "./entries.ts";
import { TAR_BLOCK as BLOCK } from "./tar.ts";

/** Something in the folder. */
export interface FolderEntry {
  /** Names from the folder on; none: it is the folder itself. */
  readonly names: readonly string[];
  readonly kind: "file" | "folder" | "link" | "other";
  /** Permissions. */
  readonly mode: number;
  /** Bytes that {@link FolderArchive.content} gives. */
  readonly size: number;
}

/** How deep folders may lie in each other, and bytes of a name: what file systems allow. */
export const MOST_DEPTH = 64;
const MOST_NAME = 255;
const encoder = new TextEncoder();

/** Whether something in a folder may be called so: what leads elsewhere may not. */
export const isMemberName = (name: string): boolean =>
  !/^\.{0,2}$/.test(name) && !/[/\p{Cc}]/u.test(name) && encoder.encode(name).length <= MOST_NAME;

/** @throws {ArchiveError} for a name that leads out of the folder */
function namesIn(path: string): string[] {
  const names = path.replace(/^\.(\/|$)/, "").replace(/\/$/, "").split("/");
  if (names.length === 1 && names[0] === "") return [];
  if (names.length > MOST_DEPTH || !names.every(isMemberName)) {
    throw new ArchiveError(`the name ${JSON.stringify(path.slice(0, 80))} is not allowed`);
  }
  return names;
}

/** Kinds by the type letter of an entry; other entries are passed over. */
const KINDS: Readonly<Record<string, FolderEntry["kind"]>> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  "5": "folder",
  "1": "link",
  "2": "link",
};

export class FolderArchive {
  #rest: Uint8Array = new Uint8Array();
  /** Bytes of the entry that were not given yet, and of what fills its last block. */
  #left = 0;
  #padding = 0;

  /**
   * @param next gives the next piece; null at the end, and when it breaks off
   * @param tell is told what the archive says to people
   */
  constructor(
    private readonly next: () => Promise<Uint8Array | null>,
    private readonly tell: (comment: string) => void = () => {},
  ) {}

  /** The next entry, behind all that is left of the one before; null at the end. @throws {ArchiveError} @throws what `next` throws */
  async entry(): Promise<FolderEntry | null> {
    let extended: Map<string, string> | undefined;
    while (true) {
      while (this.#left > 0) await this.content();
      await this.#take(this.#padding);
      this.#padding = 0;
      const head = await this.#take(BLOCK);
      if (head.every((byte) => byte === 0)) return null;
      requireSum(head);
      const letter = String.fromCharCode(head[156]!), size = sizeOf(head, extended);
      this.#left = size;
      this.#padding = (BLOCK - size % BLOCK) % BLOCK;
      if ("xgL".includes(letter)) {
        const said = await this.#extended(size);
        if (letter === "x") extended = extendedIn(said);
        const comment = letter === "g" ? extendedIn(said).get("comment") : undefined;
        if (comment !== undefined) this.tell(comment);
        // GNU's way to a long name
        if (letter === "L") extended = new Map([["path", headText(said, 0, said.length)]]);
        continue;
      }
      const prefix = headText(head, 257, 6) === "ustar" ? headText(head, 345, 155) : "";
      const own = headText(head, 0, 100);
      const path = extended?.get("path") ?? (prefix === "" ? own : `${prefix}/${own}`);
      const kind = KINDS[letter] ?? "other";
      if ([...extended?.keys() ?? []].some((key) => key.startsWith("GNU.sparse"))) {
        throw new ArchiveError("a file in it is sparse. Make it with tar --format=ustar");
      }
      return { names: namesIn(path), kind, mode: headNumber(head, 100, 8) & 0o777, size };
    }
  }

  /** The next bytes of the entry; null when all were given. @throws {ArchiveError} @throws what `next` throws */
  async content(): Promise<Uint8Array | null> {
    if (this.#left === 0) return null;
    if (this.#rest.length === 0) await this.#more();
    const bytes = this.#rest.subarray(0, this.#left);
    this.#rest = this.#rest.subarray(bytes.length);
    this.#left -= bytes.length;
    return bytes;
  }

  async #extended(size: number): Promise<Uint8Array> {
    if (size > MOST_EXTENDED) throw new ArchiveError("a head in it is too long");
    this.#left = 0;
    return (await this.#take(size)).slice();
  }

  /** So many bytes, of which there are few. */
  async #take(length: number): Promise<Uint8Array> {
    while (this.#rest.length < length) await this.#more();
    const bytes = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return bytes;
  }

  async #more(): Promise<void> {
    const bytes = await this.next();
    if (bytes === null) throw new ArchiveError("it is cut off");
    this.#rest = this.#rest.length === 0 ? bytes : joined([this.#rest, bytes]);
  }
}
