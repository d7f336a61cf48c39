/**
 * VMs out of sight, in answers about other things: leases, users of volumes and networks, the topology, refusals.
 * One place for all commands, by what their fields are called; a new command needs nothing. Pure.
 */
import { ContractError } from "../contract/errors.ts";
import { withoutCounts } from "./counting.ts";

/** Stands in the place of a VM's name. */
export const HIDDEN_VM = "a VM you may not see";

/** Which VMs are out of sight. */
export interface Visibility {
  readonly sees: (vmId: string) => boolean;
  /** Names and ids of those that are not seen. */
  readonly hiddenNames: ReadonlySet<string>;
  /** Whether some VM that is seen has a tag, or is in a group. */
  readonly seesTag: (tag: string) => boolean;
  readonly seesGroup: (group: string) => boolean;
}

type Fields = Readonly<Record<string, unknown>>;

/** What the place of a VM is told of besides: its guest's own name for itself, and its cards. */
const TELLING: ReadonlySet<string> = new Set(["vmId", "vmName", "hostname"]);

/** Fields of what a run came to for one VM: a line of its own, which goes with the VM. */
const OF_RUNS = ["outcome", "storedBytes"] as const;

/** Something about a VM that is not seen, without the VM; undefined when nothing is left of it. */
function anonymous(fields: Fields): Fields | undefined {
  // A VM itself, with its cards: who may see networks may not see these.
  if ("nics" in fields || "macs" in fields) return undefined;
  if (OF_RUNS.some((field) => field in fields)) return undefined;
  if ("name" in fields && !("vmName" in fields)) return { vmId: "", name: HIDDEN_VM };
  if (!("vmName" in fields) && !("hostname" in fields)) return fields; // what was asked for by this id
  const left = Object.entries(fields).filter(([name]) => !TELLING.has(name));
  return { ...Object.fromEntries(left), vmName: HIDDEN_VM };
}

const isAnonymous = (value: unknown): boolean =>
  value === HIDDEN_VM ||
  (typeof value === "object" && value !== null && (value as Fields).name === HIDDEN_VM);

/** Several of them are one: how many there are is nobody's business either. */
function once(list: readonly unknown[]): unknown[] {
  const first = list.findIndex(isAnonymous);
  return list.filter((each, at) => at === first || !isAnonymous(each));
}

/** VMs that something is for: by id, by tag, by group (schedules, backups). */
export interface Targets {
  readonly vmIds: readonly string[];
  readonly tags: readonly string[];
  readonly groups: readonly string[];
}

/**
 * What of targets somebody sees, and what not: a tag or a group is seen where a VM that is seen has it. One that no
 * VM has is not: it would go out of sight once a hidden VM had it, and so tell of that.
 */
export function splitTargets(
  { vmIds, tags, groups }: Targets,
  { sees, seesTag, seesGroup }: Omit<Visibility, "hiddenNames">,
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

/** Fields that tell of VMs without an id beside them: targets, lists of users, sentences such as why a run failed. */
const TELLING_FIELDS: Readonly<Record<string, (field: unknown, sight: Visibility) => unknown>> = {
  targets: seenTargets,
  usedBy: withoutNames,
  // What a template was made of; of disks it is a path
  source: withoutName,
  message: seenText,
  // Of VMs, tags and groups that are not there nobody can tell who may know of them
  uncovered: () => [],
  reason: seenText,
  warnings: (field, sight) => Array.isArray(field) ? field.map((each) => seenText(each, sight)) : field,
};

/** An answer without the names and ids of VMs that are not seen. What is given is left as it is. */
export function redact(value: unknown, sight: Visibility): unknown {
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

function seenText(field: unknown, sight: Visibility): unknown {
  return typeof field === "string" ? redactText(field, sight) : field;
}

function withoutName(field: unknown, { hiddenNames }: Visibility): unknown {
  return typeof field === "string" && hiddenNames.has(field) ? HIDDEN_VM : field;
}

function withoutNames(list: unknown, sight: Visibility): unknown {
  return Array.isArray(list) ? list.map((each) => withoutName(each, sight)) : list;
}

/** Stands in the place of a message that names a VM. */
export const HIDDEN_MESSAGE = `The message names ${HIDDEN_VM}`;

/** Whether a text holds a name as a word of its own. */
function holds(text: string, name: string): boolean {
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    const around = text.slice(Math.max(0, at - 1), at) + text.slice(at + name.length, at + name.length + 1);
    if (name !== "" && !/[\p{L}\p{N}_]/u.test(around)) return true;
  }
  return false;
}

/**
 * Ids of VMs that a text names, or has the id of. A name that is part of a longer word is none.
 *
 * @param besides the VM that the text is about
 */
export function mentionedIn(
  text: string,
  vms: readonly { readonly id: string; readonly name: string }[],
  besides?: string,
): string[] {
  const found = vms.filter(({ id, name }) => id !== besides && (holds(text, name) || text.includes(id)));
  return found.map(({ id }) => id);
}

/** A text without what it says, where it names VMs that are not seen, and without a count of them. */
export function redactText(text: string, { hiddenNames }: Visibility): string {
  return [...hiddenNames].some((name) => holds(text, name)) ? HIDDEN_MESSAGE : withoutCounts(text);
}

/** A task's log as somebody may see it. Lines that name hidden VMs are one: each VM has as many. */
export function redactLog<L extends { readonly text: string }>(log: readonly L[], sight: Visibility): L[] {
  const lines = log.map((line) => ({ ...line, text: redactText(line.text, sight) }));
  const first = lines.findIndex(({ text }) => text === HIDDEN_MESSAGE);
  return lines.filter(({ text }, at) => text !== "" && (text !== HIDDEN_MESSAGE || at === first));
}

/** Details of refusals that name VMs. */
const NAMING = ["vm", "vms", "what"] as const;
/** Details that are sentences, which may name one anywhere. */
const SENTENCES = ["reason", "error"] as const;

/** A refusal that names no VM that is not seen. */
export function redactRefusal(error: ContractError, sight: Visibility): ContractError {
  const { details = {} } = error;
  const { vmIds } = details;
  const hidden = Array.isArray(vmIds) ? vmIds.filter((each) => !sight.sees(String(each))) : [];
  const change: Record<string, unknown> = {};
  for (const name of NAMING) {
    const told = details[name];
    if (typeof told !== "string") continue;
    if (hidden.length > 0 || names(told, sight)) change[name] = HIDDEN_VM;
  }
  for (const name of SENTENCES) {
    const told = details[name];
    const shown = typeof told === "string" ? redactText(told, sight) : told;
    if (shown !== told) change[name] = shown;
  }
  if (Object.keys(change).length === 0) return error;
  if (Array.isArray(vmIds)) change.vmIds = vmIds.filter((each) => !hidden.includes(each));
  // A text of its own may have the name anywhere: the table's is told instead.
  return new ContractError(error.code, { ...details, ...change }, { cause: error.cause });
}

/** Whether a detail is the name of a VM that is not seen, or one and where it is ("web on default"). */
function names(told: string, { hiddenNames }: Visibility): boolean {
  return [...hiddenNames].some((name) => told === name || told.startsWith(`${name} on `));
}
