/** Writing cpio archives of the new ASCII format, as RPM's payload is: cpio(5). Pure. */
import { joined } from "../../bytes.ts";

/** A file or folder in an archive. */
export interface CpioEntry {
  /** Beginning with `./`. */
  readonly name: string;
  /** Kind and permissions. */
  readonly mode: number;
  readonly content: Uint8Array;
  /** Seconds since 1970. */
  readonly modified: number;
}

const encoder = new TextEncoder();
const padded = (bytes: Uint8Array) => [bytes, new Uint8Array((4 - bytes.length % 4) % 4)];

function head({ name, mode, content, modified }: CpioEntry, inode: number): Uint8Array {
  const path = encoder.encode(`${name}\0`);
  const fields = [inode, mode, 0, 0, 1, modified, content.length, 0, 0, 0, 0, path.length, 0];
  const text = fields.map((field) => field.toString(16).padStart(8, "0")).join("");
  return joined([encoder.encode(`070701${text}`), path]);
}

/** The archive of these, in this order; inodes count from 1. */
export function writeCpio(entries: readonly CpioEntry[]): Uint8Array<ArrayBuffer> {
  const end: CpioEntry = { name: "TRAILER!!!", mode: 0, content: new Uint8Array(), modified: 0 };
  return joined([
    ...entries.flatMap((entry, index) => [...padded(head(entry, index + 1)), ...padded(entry.content)]),
    ...padded(head(end, 0)),
  ]);
}
