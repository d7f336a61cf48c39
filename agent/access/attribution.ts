/**
 * VMs that are named by a text of another program, or by one with names of files: found once, when the text
 * comes in, so that afterwards ids alone decide who may read it. Our own sentences have the ids with them
 * (`lib/i18n/message.ts`).
 */
import { ContractError } from "../../lib/contract/errors.ts";
import { type ForeignText, isForeignText, isMessage, type Sentence, vmName } from "../../lib/i18n/message.ts";

/** A name that a VM has, or had. */
export interface KnownName {
  readonly id: string;
  readonly name: string;
}

/** Names by which VMs are looked for. */
export interface KnownNames {
  readonly current: () => readonly KnownName[];
  /** Of VMs that are gone, and of those that were renamed. */
  readonly former: () => Iterable<KnownName>;
}

/** A word of a name or a text. */
const WORD = /[\p{L}\p{N}_]+/u, WORDS = new RegExp(WORD, "gu");
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/, UUIDS = new RegExp(UUID, "g");

/** A name, and where its first word is in it. */
interface IndexedName extends KnownName {
  readonly at: number;
}

/** Finds the VMs that a text names, or has the id of. A name that is part of a longer word is none. */
type Find = (text: string) => string[];

/** Names that count: a name that another VM has by now is that one's. */
function* counting({ current, former }: KnownNames): Generator<KnownName> {
  const vms = current(), taken = new Set(vms.map(({ name }) => name));
  yield* vms;
  for (const { id, name } of former()) yield { id, name: taken.has(name) ? "" : name };
}

/** Looks for each name: for a few texts. */
const scanning = (names: KnownNames): Find => (text) => {
  const found = new Set<string>();
  for (const { id, name } of counting(names)) if (text.includes(id) || holds(text, name)) found.add(id);
  return [...found];
};

/** Reads a text once, however many names there are: for many texts, as there is an index to be made. */
function indexing(names: KnownNames): Find {
  const byWord = new Map<string, IndexedName[]>(), ids = new Set<string>(), odd: KnownName[] = [];
  for (const { id, name } of counting(names)) {
    if (UUID.test(id)) ids.add(id);
    else odd.push({ id, name: id });
    const word = WORD.exec(name);
    if (word !== null) {
      const entry = { id, name, at: word.index }, same = byWord.get(word[0]);
      if (same === undefined) byWord.set(word[0], [entry]);
      else same.push(entry);
    } else if (name !== "") odd.push({ id, name });
  }
  return (text) => {
    const found = new Set<string>();
    for (const [id] of text.matchAll(UUIDS)) if (ids.has(id)) found.add(id);
    for (const { id, name } of odd) if (text.includes(name)) found.add(id);
    for (const { 0: word, index } of text.matchAll(WORDS)) {
      for (const { id, name, at } of byWord.get(word) ?? []) if (isAt(text, name, index - at)) found.add(id);
    }
    return [...found];
  };
}

/** Whether a text holds a name as words of its own. */
function holds(text: string, name: string): boolean {
  if (name === "") return false;
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    if (isAt(text, name, at)) return true;
  }
  return false;
}

/** Whether a name is at a place of a text, as words of its own. */
function isAt(text: string, name: string, start: number): boolean {
  if (start < 0 || !text.startsWith(name, start)) return false;
  const end = start + name.length;
  return !WORD.test(text.slice(Math.max(0, start - 1), start) + text.slice(end, end + 1));
}

/** Ids of VMs that a text names, or has the id of. @param isOneOfMany how it is looked for */
export const idsIn = (text: string, names: KnownNames, isOneOfMany = false): string[] =>
  (isOneOfMany ? indexing : scanning)(names)(text);

function attributedText(text: string, find: Find): string | ForeignText {
  const vmIds = find(text);
  return vmIds.length === 0 ? text : { $foreign: text, vmIds };
}

/** A value with the ids of the VMs that the texts in it name, however deep these are in messages. */
function attributedValue(value: unknown, find: Find): unknown {
  if (typeof value === "string") return attributedText(value, find);
  if (!isMessage(value) || isForeignText(value)) return value;
  const args = Object.entries(value.args).map(([name, each]) => [name, attributedValue(each, find)] as const);
  return args.every(([name, each]) => each === value.args[name])
    ? value
    : { ...value, args: Object.fromEntries(args) };
}

/** A sentence with the ids of the VMs that the texts in it name. */
export const attributedSentence = (sentence: Sentence, names: KnownNames): Sentence =>
  attributedValue(sentence, scanning(names)) as Sentence;

/** Details of errors that are the words of other programs, or a place on the host. What was sent is told as it was sent. */
const FOREIGN_DETAILS: ReadonlySet<string> = new Set([
  "reason",
  "error",
  "what",
  "vm",
  "vms",
  "users",
  "keeper",
  "first",
]);

/** An error with the ids of the VMs that the texts in it name. */
export function attributedError(error: ContractError, names: KnownNames): ContractError {
  const { code, details = {}, ownText, cause } = error, find = scanning(names);
  const text = ownText === undefined ? undefined : attributedValue(ownText, find) as Sentence;
  const given = Object.entries(details).map(([name, each]) =>
    [name, FOREIGN_DETAILS.has(name) ? attributedValue(each, find) : each] as const
  );
  if (text === ownText && given.every(([name, each]) => each === details[name])) return error;
  return new ContractError(code, Object.fromEntries(given), { cause, message: text });
}

/** Ids of all VMs that an error names, also in what was sent. */
export function idsInError(error: ContractError, names: KnownNames): string[] {
  const texts = Object.values(error.details ?? {}).filter((each) => typeof each === "string");
  const found = [error.about.map(({ vmId }) => vmId), ...texts.map(scanning(names))];
  return [...new Set(found.flat())];
}

/** A text that is a VM's name as a whole, by its id; any other as it is. */
function attributedName(text: string, { current, former }: KnownNames): unknown {
  const isIt = ({ name }: KnownName) => name === text;
  const vm = current().find(isIt) ?? [...former()].find(isIt);
  return vm === undefined ? text : vmName(vm);
}

/** Fields of answers that are texts of which another program may have written a part. */
const FOREIGN_FIELDS: ReadonlySet<string> = new Set(["hindrance", "message", "notes", "reason", "warnings"]);

/** The field with what a template was made of: the name of a VM. Of disks it is a path, which names none. */
const NAME_FIELD = "source";

/** An answer with the ids of the VMs that its texts name. What is given is left as it is. */
export function attributedAnswer(answer: unknown, names: KnownNames): unknown {
  let made: Find | undefined;
  // Most answers have no text in which to look for a name
  const find: Find = (text) => (made ??= indexing(names))(text);
  const attributed = (value: unknown, isText = false): unknown => {
    if (isText && (typeof value === "string" || isMessage(value))) return attributedValue(value, find);
    if (value instanceof ContractError) return attributedError(value, names);
    if (Array.isArray(value)) return value.map((each) => attributed(each, isText));
    if (
      typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype ||
      isMessage(value) || isForeignText(value)
    ) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, each]) => [
        name,
        name === NAME_FIELD && typeof each === "string"
          ? attributedName(each, names)
          : attributed(each, FOREIGN_FIELDS.has(name)),
      ]),
    );
  };
  return attributed(answer);
}
