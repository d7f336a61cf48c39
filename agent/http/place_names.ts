/** Names in the place of ids: `/vms/web1` as the command line has it. */
import type { TSchema } from "typebox";
import { ContractError } from "../../lib/contract/errors.ts";
import { type CommandName, COMMANDS } from "../../lib/contract/mod.ts";
import { identified, isNamed, type NamedAs, wholeList } from "../../lib/contract/lookups.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Ids named in an error. */
const MOST_IDS = 8;

interface Row {
  readonly id: string;
  readonly [field: string]: unknown;
}

/** Calls a command as who makes the request. */
export type Call = (command: string, input: unknown) => Promise<unknown>;

type Fields = Readonly<Record<string, unknown>>;
type Schemas = Readonly<Record<string, TSchema>>;

/** The entries of a list on a host; none for who may not see it, and knows ids alone. */
async function rowsOf(call: Call, list: CommandName, host: unknown): Promise<readonly Row[]> {
  try {
    const rows = await call(list, wholeList(COMMANDS[list], host));
    return Array.isArray(rows) ? rows : [];
  } catch (error) {
    if (error instanceof ContractError) return [];
    throw error;
  }
}

/**
 * Returns a function that finds the id of a name; a text that names nothing stays, for the command to refuse.
 * The look-up throws NameAmbiguous.
 */
function idsBy(rows: readonly Row[], by: string): (text: string) => string {
  const known = new Set(rows.map(({ id }) => id)), byName = Map.groupBy(rows, (row) => row[by]);
  return (text) => {
    const found = byName.get(text) ?? [];
    if (found.length === 0 || known.has(text)) return text;
    if (found.length === 1) return found[0]!.id;
    const ids = found.slice(0, MOST_IDS).map(({ id }) => id).join(", ");
    throw new ContractError("NameAmbiguous", { name: text, ids });
  };
}

/** Whether a field may hold names: one text, or a list that is no longer than the contract allows. */
function mayHoldNames(schema: TSchema | undefined, value: unknown): boolean {
  if (schema === undefined) return false;
  if (!Array.isArray(value)) return typeof value === "string";
  const { type, maxItems = 0 } = schema as { type?: string; maxItems?: number };
  return type === "array" && value.length <= maxItems;
}

/**
 * The fields of an input with ids in the place of names: texts, and lists of texts. Names are those of the host that the
 * input says. What the contract does not allow is left as it is: the command refuses it.
 *
 * @param schemas of the fields that the command takes
 * @param namedAs of the command
 * @throws {ContractError} NameAmbiguous
 */
export async function withIds(
  call: Call,
  input: Fields,
  schemas: Schemas,
  namedAs?: NamedAs,
): Promise<Record<string, unknown>> {
  const changed = { ...input };
  for (const [field, value] of Object.entries(input)) {
    if (!isNamed(field, namedAs) || !mayHoldNames(schemas[field], value)) continue;
    const isName = (each: unknown) => typeof each === "string" && !UUID.test(each);
    if (![value].flat().some(isName)) continue;
    const { list, by } = identified(field, namedAs)!, idOf = idsBy(await rowsOf(call, list, input.host), by);
    const named = (each: unknown) => isName(each) ? idOf(each as string) : each;
    changed[field] = Array.isArray(value) ? value.map(named) : named(value);
  }
  return changed;
}
