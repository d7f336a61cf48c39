/**
 * Which VMs a text names that another program wrote, or that has names of files in it: told once, where it comes in, so that
 * afterwards ids alone decide who reads it. Our own sentences bring the ids with them (`lib/i18n/message.ts`).
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

/** Whether a text holds a name as a word of its own. */
function holds(text: string, name: string): boolean {
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    const around = text.slice(Math.max(0, at - 1), at) + text.slice(at + name.length, at + name.length + 1);
    if (name !== "" && !/[\p{L}\p{N}_]/u.test(around)) return true;
  }
  return false;
}

/** Ids of VMs that a text names, or has the id of. A name that is part of a longer word is none. */
export function idsIn(text: string, { current, former }: KnownNames): string[] {
  const vms = current(), taken = new Set(vms.map(({ name }) => name)), found = new Set<string>();
  const isIn = ({ id, name }: KnownName) => holds(text, name) || text.includes(id);
  for (const vm of vms) if (isIn(vm)) found.add(vm.id);
  // A name that another VM has by now is that one's
  for (const vm of former()) {
    if (taken.has(vm.name) ? text.includes(vm.id) : isIn(vm)) found.add(vm.id);
  }
  return [...found];
}

function attributedText(text: string, names: KnownNames): string | ForeignText {
  const vmIds = idsIn(text, names);
  return vmIds.length === 0 ? text : { $foreign: text, vmIds };
}

/** A value with the ids of the VMs that the texts in it name, however deep these are in messages. */
function attributedValue(value: unknown, names: KnownNames): unknown {
  if (typeof value === "string") return attributedText(value, names);
  if (!isMessage(value) || isForeignText(value)) return value;
  const args = Object.entries(value.args).map(([name, each]) =>
    [name, attributedValue(each, names)] as const
  );
  return args.every(([name, each]) => each === value.args[name])
    ? value
    : { ...value, args: Object.fromEntries(args) };
}

/** A sentence with the ids of the VMs that the texts in it name. */
export const attributedSentence = (sentence: Sentence, names: KnownNames): Sentence =>
  attributedValue(sentence, names) as Sentence;

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
  const { code, details = {}, ownText, cause } = error;
  const text = ownText === undefined ? undefined : attributedSentence(ownText, names);
  const given = Object.entries(details).map(([name, each]) =>
    [name, FOREIGN_DETAILS.has(name) ? attributedValue(each, names) : each] as const
  );
  if (text === ownText && given.every(([name, each]) => each === details[name])) return error;
  return new ContractError(code, Object.fromEntries(given), { cause, message: text });
}

/** Ids of all VMs that an error names, also in what was sent. */
export function idsInError(error: ContractError, names: KnownNames): string[] {
  const texts = Object.values(error.details ?? {}).filter((each) => typeof each === "string");
  const found = [error.about.map(({ vmId }) => vmId), ...texts.map((text) => idsIn(text, names))];
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
export function attributedAnswer(value: unknown, names: KnownNames, isText = false): unknown {
  if (isText && (typeof value === "string" || isMessage(value))) return attributedValue(value, names);
  if (value instanceof ContractError) return attributedError(value, names);
  if (Array.isArray(value)) return value.map((each) => attributedAnswer(each, names, isText));
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) {
    return value;
  }
  if (isMessage(value) || isForeignText(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name,
      name === NAME_FIELD && typeof each === "string"
        ? attributedName(each, names)
        : attributedAnswer(each, names, FOREIGN_FIELDS.has(name)),
    ]),
  );
}
