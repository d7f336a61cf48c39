/**
 * Published files of checksums: GNU's (`HEX  name`, `HEX *name`), BSD's (`SHA256 (name) = HEX`), and files with one bare
 * sum. Lines that are neither (comments, signatures) are passed over; a signature is not verified. Pure.
 */

/** Hashes an image is checked with. */
export const ALGORITHMS = ["sha256", "sha512"] as const;
export type Algorithm = typeof ALGORITHMS[number];

/** Expected checksum of a file. */
export interface Checksum {
  readonly algorithm: Algorithm;
  /** Lower case. */
  readonly hex: string;
}

/** One line of such a file. */
interface Entry extends Checksum {
  /** Steps of its path as it is written, the file's name last; undefined for a bare sum. */
  readonly path: readonly string[] | undefined;
}

const BY_LENGTH: ReadonlyMap<number, Algorithm> = new Map([[64, "sha256"], [128, "sha512"]]);
/** Lines looked at. */
const MOST_LINES = 20_000;

/** Steps of a path, the file's name last. */
const stepsOf = (path: string) => path.split("/").filter((step) => step !== "" && step !== ".");

function entryOf(line: string): Entry | undefined {
  const bsd = /^(SHA256|SHA512) \((.+)\) = ([0-9a-fA-F]+)$/.exec(line);
  const gnu = /^([0-9a-fA-F]{64,128})(?:(?: [ *]|\s+)(\S.*))?$/.exec(line);
  const [hex = "", name] = bsd ? [bsd[3], bsd[2]] : gnu ? [gnu[1], gnu[2]] : [];
  const algorithm = BY_LENGTH.get(hex.length);
  if (algorithm === undefined || (bsd && bsd[1]!.toLowerCase() !== algorithm)) return undefined;
  return { algorithm, hex: hex.toLowerCase(), path: name === undefined ? undefined : stepsOf(name.trim()) };
}

/** Whether a path ends as another one is. */
const endsAs = (path: readonly string[], end: readonly string[]) =>
  end.length <= path.length && end.every((step, at) => path[path.length - end.length + at] === step);

/**
 * The lines that are about a file, of those that have its name: where they lie in several folders, those whose whole path
 * is the end of the file's, the longest of them first; all where none fits.
 */
function fitting(named: readonly Entry[], file: readonly string[]): readonly Entry[] {
  const fit = named.filter(({ path }) => endsAs(file, path!));
  const longest = Math.max(...fit.map(({ path }) => path!.length));
  return fit.length === 0 ? named : fit.filter(({ path }) => path!.length === longest);
}

/**
 * The checksum that a published file has for an image: by its name; or the only one there is, where the file is that
 * image's own (`IMAGE.sha256`): what is published as "latest" has its dated name in there.
 *
 * @param image the image's path, or its file name
 * @param published the published file's own
 * @returns undefined when there is none, `ambiguous` where several files of that name have sums of their own and the
 * path tells none of them; of several kinds the strongest
 */
export function checksumOf(
  text: string,
  image: string,
  published: string,
): Checksum | "ambiguous" | undefined {
  const steps = stepsOf(image), file = steps.at(-1) ?? "", source = stepsOf(published).at(-1) ?? "";
  const entries = text.split("\n", MOST_LINES).flatMap((line) => entryOf(line.trim()) ?? []);
  const named = fitting(entries.filter(({ path }) => path?.at(-1) === file), steps);
  const algorithm = named.some((each) => each.algorithm === "sha512") ? "sha512" : "sha256";
  const strong = named.filter((each) => each.algorithm === algorithm);
  const strongest = strong[0];
  if (strong.some(({ hex }) => hex !== strongest!.hex)) return "ambiguous";
  const own = entries.length === 1 && source !== file && source.startsWith(file) ? entries[0] : undefined;
  const found = strongest ?? own;
  return found && { algorithm: found.algorithm, hex: found.hex };
}
