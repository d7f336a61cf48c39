/**
 * The YAML of cloud-init's documents: written, checked, and its secrets hidden and put back. On the server alone: the
 * library weighs more than a page. cloud-init reads YAML 1.1 (PyYAML), so that is what is spoken here.
 */
import {
  Document,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Scalar,
  visit,
  type YAMLSeq,
} from "yaml";
import { KEPT_SECRET, MOST_YAML_BYTES, MOST_YAML_ENTRIES } from "../../contract/cloud_init_bounds.ts";

/** The first line that makes a user-data document one of cloud-config. */
export const CLOUD_CONFIG = "#cloud-config";

/** Most aliases resolved: an alias of aliases of aliases … must not fill the memory. */
const MOST_ALIASES = 100;
const VERSION = "1.1";

/** A YAML document is not what it must be; the message is the rest of a sentence about it. */
export class YamlFault extends Error {
  override readonly name = "YamlFault";
}

/** Texts that PyYAML has a meaning for which the library does not know of. */
const MEANT: ReadonlySet<unknown> = new Set(["=", "<<"]);

/** Writes values as YAML. */
export function writeYaml(value: unknown): string {
  const document = new Document(value, {
    version: VERSION,
    aliasDuplicateObjects: false,
    // The tag for `<<` writes it without quotes, whatever it is told.
    customTags: (tags) => tags.filter((tag) => typeof tag === "string" || !tag.tag.endsWith(":merge")),
  });
  visit(document, {
    Scalar: (_key, scalar) => {
      if (MEANT.has(scalar.value)) scalar.type = "QUOTE_DOUBLE";
    },
  });
  return document.toString({ lineWidth: 0 });
}

/** The place of a character, for an error text. */
function placed(lineCounter: LineCounter, offset: number): string {
  const { line, col } = lineCounter.linePos(offset);
  return `in line ${line}, column ${col}`;
}

/** @throws {YamlFault} for a document that is more than any configuration: the parser's work grows faster than it */
function requireBounded(source: string): void {
  const bytes = new TextEncoder().encode(source).length;
  if (bytes > MOST_YAML_BYTES) {
    throw new YamlFault(`must be at most ${MOST_YAML_BYTES} bytes, and has ${bytes}`);
  }
  let entries = 0;
  for (const character of source) if (character === "\n" || character === ",") entries++;
  if (entries > MOST_YAML_ENTRIES) {
    throw new YamlFault(`must have at most ${MOST_YAML_ENTRIES} lines and commas, and has ${entries}`);
  }
}

/** Tags whose reading compares every entry with every other. cloud-init has no use for them. */
const SLOW_TAGS: ReadonlySet<string> = new Set(["tag:yaml.org,2002:set", "tag:yaml.org,2002:omap"]);

function parsed(source: string): Document.Parsed {
  requireBounded(source);
  const lineCounter = new LineCounter();
  const document = parseDocument(source, {
    version: VERSION,
    // Pretty errors quote the source, which may hold secrets.
    prettyErrors: false,
    lineCounter,
    // The library compares every key with every other: requireUniqueKeys() does it in one pass.
    uniqueKeys: false,
    customTags: (tags) => tags.filter((tag) => typeof tag === "string" || !SLOW_TAGS.has(tag.tag)),
  });
  const [first] = document.errors;
  if (first !== undefined) {
    const what = first.code === "MULTIPLE_DOCS" ? "has more than one document" : `is no YAML (${first.code})`;
    throw new YamlFault(`${what} ${placed(lineCounter, first.pos[0])}`);
  }
  requireUniqueKeys(document, lineCounter);
  return document;
}

/** @throws {YamlFault} for a mapping that has a key twice */
function requireUniqueKeys(document: Document.Parsed, lineCounter: LineCounter): void {
  visit(document, {
    Map: (_key, { items }) => {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) {
          throw new YamlFault(`has a key twice (DUPLICATE_KEY) ${placed(lineCounter, key.range?.[0] ?? 0)}`);
        }
        seen.add(key.value);
      }
    },
  });
}

/** Runs what reads a document, which calls itself for what lies inside. @throws {YamlFault} */
function bounded<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ReferenceError) throw new YamlFault("has too many aliases", { cause: error });
    if (error instanceof RangeError) throw new YamlFault("is nested too deeply", { cause: error });
    throw error;
  }
}

/** The value of a document. @throws {YamlFault} */
export function readYaml(source: string): unknown {
  return bounded(() => parsed(source).toJS({ maxAliasCount: MOST_ALIASES }));
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** @throws {YamlFault} when it is no cloud-config */
export function checkUserData(source: string): void {
  if (source.split("\n", 1)[0]!.trimEnd() !== CLOUD_CONFIG) {
    throw new YamlFault(`must have ${CLOUD_CONFIG} as its first line`);
  }
  const value = readYaml(source);
  if (value !== null && !isRecord(value)) throw new YamlFault("must be a mapping: key: value");
  if (value === null) return;
  for (const key of COMMANDS) checkLines(key, value[key], true);
  checkLines("ssh_authorized_keys", value.ssh_authorized_keys, false);
  const users = Array.isArray(value.users) ? value.users : [];
  users.forEach((user, index) => {
    if (isRecord(user)) checkLines(`users.${index}.ssh_authorized_keys`, user.ssh_authorized_keys, false);
  });
}

/** Lists of commands: cloud-init runs none of one in which an entry is no command. */
const COMMANDS = ["bootcmd", "runcmd"] as const;

/**
 * @param isCommands a list of commands: an entry may be a list of words, or nothing
 * @throws {YamlFault} for an entry that is no line of text
 */
function checkLines(key: string, value: unknown, isCommands: boolean): void {
  if (value === undefined || value === null || (!isCommands && typeof value === "string")) return;
  if (!Array.isArray(value)) {
    throw new YamlFault(`must have a list at ${key}: a line with a dash for each entry`);
  }
  value.forEach((entry: unknown, index) => {
    const fits = typeof entry === "string" ||
      (isCommands &&
        (entry === null || (Array.isArray(entry) && !entry.some((word) => typeof word === "object"))));
    if (fits) return;
    const what = isRecord(entry)
      ? "a mapping, because YAML reads the colon and the blank behind it as one"
      : "no text";
    throw new YamlFault(`has at ${key}.${index} ${what}: put the entry into quotes`);
  });
}

/** @throws {YamlFault} when it is no network configuration of version 2 */
export function checkNetworkConfig(source: string): void {
  const value = readYaml(source);
  const inner = isRecord(value) && isRecord(value.network) ? value.network : value;
  if (!isRecord(inner) || inner.version !== 2) throw new YamlFault("must be a mapping with version: 2");
}

/** Keys whose values are secrets, and those whose every value below is. */
const SECRET_KEYS: ReadonlySet<string> = new Set([
  "passwd",
  "hashed_passwd",
  "plain_text_passwd",
  "password",
  "passphrase",
  "private_key",
  "token",
  "secret",
]);
const SECRET_BELOW: ReadonlySet<string> = new Set(["ssh_keys", "chpasswd"]);
/** Below {@link SECRET_BELOW}, what is none. */
const NO_SECRET: ReadonlySet<string> = new Set(["expire", "name", "type"]);

/** Index of each entry of a sequence: looked up for every scalar below it. */
type Indexes = Map<YAMLSeq, Map<unknown, number>>;

function indexIn(seq: YAMLSeq, item: unknown, indexes: Indexes): number | undefined {
  let known = indexes.get(seq);
  if (known === undefined) indexes.set(seq, known = new Map(seq.items.map((each, index) => [each, index])));
  return known.get(item);
}

/** Keys and indexes on the way to a node. */
function placeOf(ancestors: readonly unknown[], node: unknown, indexes: Indexes): string[] {
  return ancestors.flatMap((each, index) => {
    if (isPair(each)) return [isScalar(each.key) ? String(each.key.value) : "?"];
    return isSeq(each) ? [String(indexIn(each, ancestors[index + 1] ?? node, indexes))] : [];
  });
}

/** Runs over the scalars that hold secrets. */
function eachSecret(document: Document, run: (scalar: Scalar, place: string) => void): void {
  const indexes: Indexes = new Map();
  visit(document, {
    Scalar: (key, scalar, ancestors) => {
      if (key === "key" || scalar.value === null || typeof scalar.value === "boolean") return;
      const place = placeOf(ancestors, scalar, indexes);
      const named = place.findLast((each) => !/^\d+$/.test(each)) ?? "";
      const below = place.some((each) => SECRET_BELOW.has(each)) && !NO_SECRET.has(named);
      if (SECRET_KEYS.has(named) || below) run(scalar, place.join("."));
    },
  });
}

/** A scalar's new value, and where the old one stands in the source. */
interface Edit {
  readonly scalar: Scalar;
  readonly value: unknown;
}

/** The source with other values in some places, and every other character as it was. JSON is YAML. */
function edited(source: string, edits: readonly Edit[]): string {
  let text = "", at = 0;
  for (const { scalar, value } of edits) {
    const [from, to] = scalar.range ?? [at, at];
    // A block goes to the end of its last line.
    text += source.slice(at, from) + JSON.stringify(value) + (source[to - 1] === "\n" ? "\n" : "");
    at = to;
  }
  return text + source.slice(at);
}

/** The document with {@link KEPT_SECRET} for every secret; the rest stays as it is. @throws {YamlFault} */
export function withoutCloudInitSecrets(source: string): string {
  const edits: Edit[] = [];
  bounded(() => eachSecret(parsed(source), (scalar) => edits.push({ scalar, value: KEPT_SECRET })));
  return edited(source, edits);
}

/**
 * Puts the secrets of `before` where `source` has {@link KEPT_SECRET}; the rest stays as it is.
 *
 * @throws {YamlFault} when `before` has none in that place
 */
export function withSecretsOf(source: string, before: string | undefined): string {
  if (!source.includes(KEPT_SECRET)) return source;
  return bounded(() => withSecrets(source, before));
}

function withSecrets(source: string, before: string | undefined): string {
  const known = new Map<string, unknown>();
  if (before !== undefined) eachSecret(parsed(before), ({ value }, place) => known.set(place, value));
  const edits: Edit[] = [];
  eachSecret(parsed(source), (scalar, place) => {
    if (scalar.value !== KEPT_SECRET) return;
    const value = known.get(place);
    if (value === undefined) {
      throw new YamlFault(`has ${KEPT_SECRET} at ${place}, where no secret was before: write it out`);
    }
    edits.push({ scalar, value });
  });
  return edited(source, edits);
}
