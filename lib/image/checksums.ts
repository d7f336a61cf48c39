/**
 * Published files of checksums: GNU's (`HEX  name`, `HEX *name`), BSD's (`SHA256 (name) = HEX`), and files with one bare
 * sum. Lines that are neither (comments, signatures) are passed over; a signature is not verified. Pure.
 */

/** Hashes an image is checked with. */
export const ALGORITHMS = ["sha256", "sha512"] as const;
export type Algorithm = typeof ALGORITHMS[number];

/** What a file must come to. */
export interface Checksum {
  readonly algorithm: Algorithm;
  /** Lower case. */
  readonly hex: string;
}

/** One line of such a file. */
interface Entry extends Checksum {
  /** Without a folder; undefined for a bare sum. */
  readonly name: string | undefined;
}

const BY_LENGTH: ReadonlyMap<number, Algorithm> = new Map([[64, "sha256"], [128, "sha512"]]);
/** Lines looked at. */
const MOST_LINES = 20_000;

const baseName = (path: string) => path.slice(path.lastIndexOf("/") + 1);

function entryOf(line: string): Entry | undefined {
  const bsd = /^(SHA256|SHA512) \((.+)\) = ([0-9a-fA-F]+)$/.exec(line);
  const gnu = /^([0-9a-fA-F]{64,128})(?:(?: [ *]|\s+)(\S.*))?$/.exec(line);
  const [hex = "", name] = bsd ? [bsd[3], bsd[2]] : gnu ? [gnu[1], gnu[2]] : [];
  const algorithm = BY_LENGTH.get(hex.length);
  if (algorithm === undefined || (bsd && bsd[1]!.toLowerCase() !== algorithm)) return undefined;
  return { algorithm, hex: hex.toLowerCase(), name: name === undefined ? undefined : baseName(name.trim()) };
}

/**
 * The checksum that a published file has for an image: by its name; or the only one there is, where the file is that
 * image's own (`IMAGE.sha256`): what is published as "latest" has its dated name in there.
 *
 * @param file the image's file name
 * @param source the published file's own name
 * @returns undefined when there is none; of several the strongest
 */
export function checksumOf(text: string, file: string, source: string): Checksum | undefined {
  const entries = text.split("\n", MOST_LINES).flatMap((line) => entryOf(line.trim()) ?? []);
  const named = entries.filter(({ name }) => name === file);
  const strongest = named.find(({ algorithm }) => algorithm === "sha512") ?? named[0];
  const own = entries.length === 1 && source !== file && source.startsWith(file) ? entries[0] : undefined;
  const found = strongest ?? own;
  return found && { algorithm: found.algorithm, hex: found.hex };
}
