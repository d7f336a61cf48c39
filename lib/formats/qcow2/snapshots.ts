/** The snapshots that a qcow2 image keeps within itself, whoever has taken them. Pure. Source: QEMU's docs/interop/qcow2.rst, "Snapshots". */
import { textOfBytes } from "../../text/byte_text.ts";
import { ImageError } from "./qcow2_header.ts";

/** Bytes of the table that are read: room for some ten thousand. */
export const TABLE_BYTES = 1024 ** 2;

/** Bytes of an entry before its extra data. */
const ENTRY_BYTES = 40;

/** The names of the snapshots in a table, as far as it was read. @throws {ImageError} */
export function snapshotNames(table: Uint8Array, count: number): string[] {
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  const names: string[] = [];
  for (let at = 0; names.length < count && at < TABLE_BYTES - ENTRY_BYTES;) {
    if (at + ENTRY_BYTES > table.length) throw new ImageError("the list of its snapshots is cut short");
    const idLength = view.getUint16(at + 12), nameLength = view.getUint16(at + 14);
    const from = at + ENTRY_BYTES + view.getUint32(at + 36) + idLength, end = from + nameLength;
    if (end > TABLE_BYTES) break;
    if (end > table.length) throw new ImageError("the list of its snapshots is cut short");
    names.push(textOfBytes(table.subarray(from, end)));
    at += Math.ceil((end - at) / 8) * 8;
  }
  return names;
}
