/** The chunks of a disk as text: a line for each, its SHA-256, or `0 n` for n chunks of nothing but zeros. Pure. */
import { ManifestError } from "./manifest.ts";

/** A chunk by the SHA-256 of its content; null for zeros. */
export type Chunk = string | null;

/** Writes a list. */
export function writeChunkList(chunks: readonly Chunk[]): string {
  const lines: string[] = [];
  let zeros = 0;
  const flush = () => {
    if (zeros > 0) lines.push(`0 ${zeros}`);
    zeros = 0;
  };
  for (const chunk of chunks) {
    if (chunk === null) {
      zeros++;
      continue;
    }
    flush();
    lines.push(chunk);
  }
  flush();
  return lines.map((line) => `${line}\n`).join("");
}

/** How many chunks a disk has. */
export const chunkCount = (bytes: number, chunkBytes: number): number => Math.ceil(bytes / chunkBytes);

/** Bytes of the chunk of an index: the last one of a disk may have fewer. */
export const chunkLength = (index: number, bytes: number, chunkBytes: number): number =>
  Math.min(chunkBytes, bytes - index * chunkBytes);

/** Line by line, and none is empty: a list of nothing but line breaks would otherwise fill the memory. */
function* linesIn(text: string): Generator<string> {
  for (let at = 0; at < text.length;) {
    const end = text.indexOf("\n", at), to = end < 0 ? text.length : end;
    yield text.slice(at, to);
    at = to + 1;
  }
}

/** What a line stands for: a digest, or so many chunks of zeros. @throws {ManifestError} */
function entryIn(line: string): string | number {
  if (/^[0-9a-f]{64}$/.test(line)) return line;
  const zeros = /^0 ([1-9][0-9]{0,11})$/.exec(line);
  if (zeros === null) throw new ManifestError("its list of chunks is damaged");
  return Number(zeros[1]);
}

/** Reads a list of as many chunks as the disk has. @throws {ManifestError} */
export function readChunkList(text: string, count: number): Chunk[] {
  const chunks: Chunk[] = [];
  for (const line of linesIn(text)) {
    const entry = entryIn(line), more = typeof entry === "number" ? entry : 1;
    if (chunks.length + more > count) throw new ManifestError("it lists more than the disk holds");
    if (typeof entry === "string") chunks.push(entry);
    else for (let index = 0; index < more; index++) chunks.push(null);
  }
  if (chunks.length !== count) throw new ManifestError("it lists less than the disk holds");
  return chunks;
}

/** The digests that a list names. @throws {ManifestError} */
export function* digestsIn(text: string): Generator<string> {
  for (const line of linesIn(text)) {
    const entry = entryIn(line);
    if (typeof entry === "string") yield entry;
  }
}
