/**
 * Machines out of sight, in answers about other things: leases, users of volumes and networks, the topology, refusals.
 * One place for all commands, by what their fields are called; a new command needs nothing. Pure.
 */
import { ContractError } from "../contract/errors.ts";

/** Stands in the place of a machine's name. */
export const HIDDEN_VM = "a VM you may not see";

/** Which machines are out of sight. */
export interface Sight {
  readonly sees: (vmId: string) => boolean;
  /** Names of those that are not seen. */
  readonly hiddenNames: ReadonlySet<string>;
}

type Fields = Readonly<Record<string, unknown>>;

/** What the place of a machine is told of besides: its guest's own name for itself, and its cards. */
const TELLING: ReadonlySet<string> = new Set(["vmId", "vmName", "hostname"]);

/** Something about a machine that is not seen, without the machine; undefined when nothing is left of it. */
function anonymous(fields: Fields): Fields | undefined {
  // A machine itself, with its cards: who may see networks may not see these.
  if ("nics" in fields || "macs" in fields) return undefined;
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

/** An answer without the names and ids of machines that are not seen. What is given is left as it is. */
export function withoutHidden(value: unknown, sight: Sight): unknown {
  if (Array.isArray(value)) {
    return once(value.map((each) => withoutHidden(each, sight)).filter((each) => each !== undefined));
  }
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) {
    return value;
  }
  const { vmId } = value as Fields;
  const shown = typeof vmId === "string" && !sight.sees(vmId) ? anonymous(value as Fields) : value as Fields;
  if (shown === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(shown).map(([name, field]) => [
      name,
      name === "usedBy" ? withoutHidden(withoutNames(field, sight), sight) : withoutHidden(field, sight),
    ]),
  );
}

function withoutNames(list: unknown, { hiddenNames }: Sight): unknown {
  if (!Array.isArray(list)) return list;
  return list.map((each) => typeof each === "string" && hiddenNames.has(each) ? HIDDEN_VM : each);
}

/** Details of refusals that name machines. */
const NAMING = ["vm", "vms", "what"] as const;

/** A refusal that names no machine that is not seen. */
export function refusalWithoutHidden(error: ContractError, sight: Sight): ContractError {
  const { details = {} } = error;
  const { vmIds } = details;
  const hidden = Array.isArray(vmIds) ? vmIds.filter((each) => !sight.sees(String(each))) : [];
  const change: Record<string, unknown> = {};
  for (const name of NAMING) {
    const told = details[name];
    if (typeof told !== "string") continue;
    if (hidden.length > 0 || names(told, sight)) change[name] = HIDDEN_VM;
  }
  if (Object.keys(change).length === 0) return error;
  if (Array.isArray(vmIds)) change.vmIds = vmIds.filter((each) => !hidden.includes(each));
  // A text of its own may have the name anywhere: the table's is told instead.
  return new ContractError(error.code, { ...details, ...change }, { cause: error.cause });
}

/** Whether a detail is the name of a machine that is not seen, or one and where it is ("web on default"). */
function names(told: string, { hiddenNames }: Sight): boolean {
  return [...hiddenNames].some((name) => told === name || told.startsWith(`${name} on `));
}
