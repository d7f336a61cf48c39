/** Writing ar archives, which Debian packages are: ar(5), deb(5). */
import { joined } from "../../bytes.ts";

/** A file in an archive. */
export interface ArEntry {
  readonly name: string;
  readonly content: Uint8Array;
}

/** The archive of these files, in this order. @throws {RangeError} for a name of more than 16 bytes */
export function writeAr(entries: readonly ArEntry[]): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const pieces = entries.flatMap(({ name, content }) => {
    if (encoder.encode(name).length > 16) throw new RangeError(`too long for an ar archive: ${name}`);
    const fields = [[name, 16], ["0", 12], ["0", 6], ["0", 6], ["100644", 8], [
      String(content.length),
      10,
    ]] as const;
    const head = `${fields.map(([text, length]) => text.padEnd(length)).join("")}\`\n`;
    // Each file begins at an even place
    return [encoder.encode(head), content, encoder.encode(content.length % 2 === 1 ? "\n" : "")];
  });
  return joined([encoder.encode("!<arch>\n"), ...pieces]);
}
