/**
 * VMs out of sight, in answers about other things: leases, users of volumes and networks, the topology, refusals.
 * One place for all commands, by what their fields are called; a new command needs nothing. Messages name VMs by their ids
 * (`lib/i18n/message.ts`): no text is searched here. Pure.
 */
import { ContractError } from "../contract/errors.ts";
import {
  isForeignText,
  isMessage,
  isVmCount,
  isVmName,
  type Message,
  render,
  type Sentence,
} from "../i18n/message.ts";

/** Stands in the place of a VM's name. */
export const HIDDEN_VM = "a VM you may not see";
const HIDDEN_NAME: Message = { $text: HIDDEN_VM, args: {} };
const hiddenVm = () => render(HIDDEN_NAME);

/** VMs that a user sees, and the hidden ones. */
export interface Visibility {
  readonly sees: (vmId: string) => boolean;
  /** Whether some VM that is seen has a tag, or is in a group. */
  readonly seesTag: (tag: string) => boolean;
  readonly seesGroup: (group: string) => boolean;
}

type Fields = Readonly<Record<string, unknown>>;

/** Fields of entries that identify a VM by its id, its name, or the name its guest has for itself. */
const TELLING: ReadonlySet<string> = new Set(["vmId", "vmName", "hostname"]);

/** Fields of what a run came to for one VM: a line of its own, which goes with the VM. */
const OF_RUNS = ["outcome", "storedBytes"] as const;

/** Something about a VM that is not seen, without the VM; undefined when nothing is left of it. */
function anonymous(fields: Fields): Fields | undefined {
  // A VM itself, with its cards: who may see networks may not see these.
  if ("nics" in fields || "macs" in fields) return undefined;
  if (OF_RUNS.some((field) => field in fields)) return undefined;
  if ("name" in fields && !("vmName" in fields)) return { vmId: "", name: hiddenVm() };
  if (!("vmName" in fields) && !("hostname" in fields)) return fields; // what was asked for by this id
  const left = Object.entries(fields).filter(([name]) => !TELLING.has(name));
  return { ...Object.fromEntries(left), vmName: hiddenVm() };
}

const isAnonymous = (value: unknown): boolean =>
  value === HIDDEN_NAME || value === HIDDEN_SENTENCE || value === hiddenVm() ||
  (typeof value === "object" && value !== null && (value as Fields).name === hiddenVm());

/** Several of them are one: how many there are is hidden, too. */
function once(list: readonly unknown[], isHidden = isAnonymous): unknown[] {
  const first = list.findIndex(isHidden);
  return list.filter((each, at) => at === first || !isHidden(each));
}

/** VMs that something is for: by id, by tag, by group (schedules, backups). */
export interface Targets {
  readonly vmIds: readonly string[];
  readonly tags: readonly string[];
  readonly groups: readonly string[];
}

/**
 * Splits targets into those that a user sees and the rest. A tag or a group is seen when a VM that is seen has it. One
 * that no VM has is not: it would disappear once a hidden VM had it, and so reveal that.
 */
export function splitTargets(
  { vmIds, tags, groups }: Targets,
  { sees, seesTag, seesGroup }: Visibility,
): { readonly seen: Targets; readonly hidden: Targets } {
  const not = (test: (each: string) => boolean) => (each: string) => !test(each);
  return {
    seen: { vmIds: vmIds.filter(sees), tags: tags.filter(seesTag), groups: groups.filter(seesGroup) },
    hidden: {
      vmIds: vmIds.filter(not(sees)),
      tags: tags.filter(not(seesTag)),
      groups: groups.filter(not(seesGroup)),
    },
  };
}

/** Whether targets name nothing at all. */
export const isNoTarget = ({ vmIds, tags, groups }: Targets): boolean =>
  vmIds.length + tags.length + groups.length === 0;

const isTargets = (value: unknown): value is Targets =>
  typeof value === "object" && value !== null &&
  (["vmIds", "tags", "groups"] as const).every((name) => Array.isArray((value as Fields)[name]));

/** Targets without those that are not seen, and that there are such. */
function seenTargets(targets: unknown, sight: Visibility): unknown {
  if (!isTargets(targets)) return targets;
  const { seen, hidden } = splitTargets(targets, sight);
  return { ...targets, ...seen, ...(!isNoTarget(hidden) && { hidden: true }) };
}

/** Fields that tell of VMs without an id next to them: targets, and what is not there. */
const TELLING_FIELDS: Readonly<Record<string, (field: unknown, sight: Visibility) => unknown>> = {
  targets: seenTargets,
  // Of VMs, tags and groups that are not there it is not known who may see them
  uncovered: () => [],
};

/** An answer without the names and ids of VMs that are not seen. What is given is left as it is. */
export function redact(value: unknown, sight: Visibility): unknown {
  if (value instanceof ContractError) return redactError(value, sight);
  if (isVmName(value) || isForeignText(value) || isMessage(value)) return seenValue(value, sight);
  if (Array.isArray(value)) {
    return once(value.map((each) => redact(each, sight)).filter((each) => each !== undefined));
  }
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) {
    return value;
  }
  const { vmId } = value as Fields;
  const shown = typeof vmId === "string" && !sight.sees(vmId) ? anonymous(value as Fields) : value as Fields;
  if (shown === undefined) return undefined;
  return counted(Object.fromEntries(
    Object.entries(shown).map(([name, field]) => [
      name,
      redact(Object.hasOwn(TELLING_FIELDS, name) ? TELLING_FIELDS[name]!(field, sight) : field, sight),
    ]),
  ));
}

/** A run's counts by outcome are of the results that are told: the others would say how many VMs are out of sight. */
function counted(fields: Fields): Fields {
  const { counts, results } = fields;
  if (typeof counts !== "object" || counts === null || !Array.isArray(results)) return fields;
  const of = (outcome: string) => (results as Fields[]).filter((each) => each.outcome === outcome).length;
  return { ...fields, counts: Object.fromEntries(Object.keys(counts).map((name) => [name, of(name)])) };
}

/** Stands in the place of a message that names a VM. */
export const HIDDEN_MESSAGE = `The message names ${HIDDEN_VM}`;
export const HIDDEN_SENTENCE: Message = { $text: HIDDEN_MESSAGE, args: {} };

/** Whether a value of a message is, or lists, a VM that is not seen. */
const isHiddenName = (value: unknown, { sees }: Visibility): boolean =>
  isVmName(value) && !sees(value.$vm) ||
  Array.isArray(value) && value.some((each) => isVmName(each) && !sees(each.$vm));

/** The messages within a message that counts VMs, such as the first failure. */
function besidesCounts(values: readonly unknown[]): Sentence {
  const left = values.filter((each) => isMessage(each) || isForeignText(each));
  return left.length === 1
    ? left[0] as Sentence
    : { $text: left.map((_, at) => `{${at}}`).join(" "), args: { ...left } };
}

/** A value of a message as somebody may see it: names that they do not see are replaced, in lists once. */
function seenValue(value: unknown, sight: Visibility): unknown {
  if (isVmName(value)) return sight.sees(value.$vm) ? value : HIDDEN_NAME;
  if (isForeignText(value)) return value.vmIds.every(sight.sees) ? value : HIDDEN_SENTENCE;
  if (isMessage(value)) return redactSentence(value, sight);
  if (!Array.isArray(value)) return value;
  const seen = value.map((each) => seenValue(each, sight));
  return seen.every((each, at) => each === value[at]) ? value : once(seen);
}

/** A sentence as somebody may see it. One that names a VM that they do not see says nothing else: it may have its files. */
export function redactSentence(sentence: Sentence, sight: Visibility): Sentence {
  if (!isMessage(sentence)) return seenValue(sentence, sight) as Sentence;
  const args = Object.entries(sentence.args);
  if (args.some(([, each]) => isHiddenName(each, sight))) return HIDDEN_SENTENCE;
  const seen = args.map(([name, each]) => [name, seenValue(each, sight)] as const);
  if (args.some(([, each]) => isVmCount(each))) return besidesCounts(seen.map(([, each]) => each));
  const isSame = seen.every(([name, each]) => each === sentence.args[name]);
  return isSame ? sentence : { ...sentence, args: Object.fromEntries(seen) };
}

const isHiddenSentence = (sentence: Sentence): boolean => sentence === HIDDEN_SENTENCE;
const isEmpty = (sentence: Sentence): boolean =>
  sentence === "" || isMessage(sentence) && sentence.$text === "";

/** A task's log as somebody may see it. Lines that name hidden VMs are one: each VM has as many. */
export function redactLog<L extends { readonly text: Sentence }>(log: readonly L[], sight: Visibility): L[] {
  const lines = log.map((line) => ({ ...line, text: redactSentence(line.text, sight) }));
  return once(lines, (line) => isHiddenSentence((line as L).text)).filter((line) =>
    !isEmpty((line as L).text)
  ) as L[];
}

/** An error that names no VM that is not seen, and counts none. */
export function redactError(error: ContractError, sight: Visibility): ContractError {
  const { code, details = {}, ownText, cause } = error;
  const given = Object.entries(details);
  const seen = given.flatMap(([name, each]) =>
    isVmCount(each) ? [] : [[name, seenDetail(name, each, sight)] as const]
  );
  const counts = seen.length < given.length;
  const text = ownText !== undefined
    ? orHidden(redactSentence(ownText, sight))
    : counts
    ? orHidden(besidesCounts(seen.map(([, each]) => each)))
    : undefined;
  if (text === ownText && !counts && seen.every(([name, each]) => each === details[name])) return error;
  return new ContractError(code, Object.fromEntries(seen), { cause, message: text });
}

/** A redacted text; a placeholder when nothing is left of it. */
const orHidden = (sentence: Sentence): Sentence => isEmpty(sentence) ? HIDDEN_SENTENCE : sentence;

/** Details of errors that are sentences; the others are what something is called. */
const SENTENCES: ReadonlySet<string> = new Set(["error", "first", "reason"]);

/** A detail of an error. The ids next to the names are of the same VMs. */
function seenDetail(name: string, detail: unknown, sight: Visibility): unknown {
  if (name !== "vmIds" || !Array.isArray(detail)) {
    const seen = seenValue(detail, sight);
    return seen === HIDDEN_SENTENCE && !SENTENCES.has(name) ? HIDDEN_NAME : seen;
  }
  return detail.every((each) => sight.sees(String(each)))
    ? detail
    : detail.filter((each) => sight.sees(String(each)));
}
