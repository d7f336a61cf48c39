/** The manifest of an archive: checksums of its files, in the dialects that programs write. Pure. */
import { nameKey } from "./file_names.ts";
import { OvfError } from "./model.ts";

/** Hexadecimal digits of each checksum, by its name in node's crypto. */
const DIGITS = { md5: 32, sha1: 40, sha224: 56, sha256: 64, sha384: 96, sha512: 128 } as const;
type Algorithm = keyof typeof DIGITS;
/** Bytes of the longest manifest taken. */
export const MAX_MANIFEST = 64 * 1024;

/** Expected digest of a file. */
export interface Digest {
  readonly algorithm: Algorithm;
  readonly hex: string;
}

/** A file's checksums. */
export interface ManifestFile {
  readonly name: string;
  readonly digests: readonly Digest[];
}

/** Files of a manifest with their digests, and the lines that were ignored. */
export interface OvfManifest {
  readonly files: readonly ManifestFile[];
  /** Lines that are no checksum, or one that cannot be counted here. */
  readonly ignored: readonly string[];
}

const isAlgorithm = (word: string): word is Algorithm => Object.hasOwn(DIGITS, word);

/**
 * `SHA256(NAME)= HEX` with blanks anywhere and `SHA-256` for the same, or the `HEX  NAME` of sha256sum.
 *
 * @returns undefined for a line that is no checksum known here
 * @throws {OvfError} for a checksum that is damaged
 */
function lineOf(line: string): { readonly name: string; readonly digest: Digest } | undefined {
  const tagged = /^\s*([A-Za-z]+-?\d+)\s*\((.{1,255})\)\s*=\s*([0-9a-fA-F]*)\s*$/.exec(line);
  if (tagged !== null) {
    const [, word = "", name = "", hex = ""] = tagged;
    const algorithm = word.toLowerCase().replace("-", "");
    if (!isAlgorithm(algorithm)) return undefined;
    if (hex.length !== DIGITS[algorithm]) {
      throw new OvfError(`its manifest has a damaged checksum: ${JSON.stringify(line.slice(0, 80))}`);
    }
    return { name: name.trim(), digest: { algorithm, hex: hex.toLowerCase() } };
  }
  const [, hex = "", name = ""] = /^\s*([0-9a-fA-F]{32,128})\s[ *]?(.{1,255}?)\s*$/.exec(line) ?? [];
  const algorithm = Object.keys(DIGITS).filter(isAlgorithm).find((each) => DIGITS[each] === hex.length);
  return algorithm && { name, digest: { algorithm, hex: hex.toLowerCase() } };
}

/**
 * Reads a manifest. Lines that are empty or comments count as none.
 *
 * @throws {OvfError} for a checksum that is damaged, and for a file that has two of a kind that differ
 */
export function readOvfManifest(text: string): OvfManifest {
  const files = new Map<string, { readonly name: string; readonly digests: Digest[] }>();
  const ignored: string[] = [];
  for (const line of text.replace(/^\ufeff/, "").split(/\r\n|[\r\n]/)) {
    if (/^\s*(#|;|\/\/|$)/.test(line)) continue;
    const read = lineOf(line);
    if (read === undefined) {
      ignored.push(line.trim());
      continue;
    }
    const { name, digest } = read, key = nameKey(name);
    const file = files.get(key) ?? { name, digests: [] };
    const known = file.digests.find(({ algorithm }) => algorithm === digest.algorithm);
    if (known !== undefined && known.hex !== digest.hex) {
      throw new OvfError(`its manifest has two different checksums for ${JSON.stringify(name)}`);
    }
    if (known === undefined) file.digests.push(digest);
    files.set(key, file);
  }
  return { files: [...files.values()], ignored };
}

/** Writes a manifest with SHA-256. */
export function writeManifest(sums: Iterable<readonly [name: string, sha256: string]>): string {
  return [...sums].map(([name, hex]) => `SHA256(${name})= ${hex}\n`).join("");
}
