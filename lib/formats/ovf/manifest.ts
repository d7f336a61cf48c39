/** The manifest of an archive: a checksum for each of its files. Pure. */
import { OvfError } from "./model.ts";

/** Names of the ways to count, as node's crypto has them, by the manifest's words. */
const ALGORITHMS: Readonly<Record<string, "sha1" | "sha256" | "sha512">> = {
  SHA1: "sha1",
  SHA256: "sha256",
  SHA512: "sha512",
};
const DIGITS = { sha1: 40, sha256: 64, sha512: 128 } as const;
/** Bytes of the longest manifest taken. */
export const MAX_MANIFEST = 64 * 1024;

/** What a file must come to. */
export interface Digest {
  readonly algorithm: "sha1" | "sha256" | "sha512";
  readonly hex: string;
}

/** Reads a manifest: `SHA256(NAME)= HEX`, a line for each file. @throws {OvfError} */
export function readOvfManifest(text: string): Map<string, Digest> {
  const found = new Map<string, Digest>();
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === "") continue;
    const [, word = "", name = "", hex = ""] =
      /^(SHA\d+)\s*\((.{1,255})\)\s*=\s*([0-9a-fA-F]+)\s*$/.exec(line) ?? [];
    const algorithm = ALGORITHMS[word];
    if (algorithm === undefined || hex.length !== DIGITS[algorithm]) {
      throw new OvfError(
        `its manifest has a line that is not understood: ${JSON.stringify(line.slice(0, 80))}`,
      );
    }
    if (found.has(name)) throw new OvfError(`its manifest has ${JSON.stringify(name)} twice`);
    found.set(name, { algorithm, hex: hex.toLowerCase() });
  }
  return found;
}

/** Writes a manifest with SHA-256. */
export function writeManifest(sums: Iterable<readonly [name: string, sha256: string]>): string {
  return [...sums].map(([name, hex]) => `SHA256(${name})= ${hex}\n`).join("");
}
