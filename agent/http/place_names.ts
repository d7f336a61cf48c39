/** Names in the place of ids: `/vms/web1` as the command line has it. */
import { ContractError } from "../../lib/contract/errors.ts";
import { COMMANDS } from "../../lib/contract/mod.ts";
import { identified, isNamed, longestList } from "../../lib/contract/lookups.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Ids named in an error. */
const MOST_IDS = 8;

interface Row {
  readonly id: string;
  readonly [field: string]: unknown;
}

/** Calls a command as who makes the request. */
export type Call = (command: string, input: unknown) => Promise<unknown>;

/** The entries of a list; none for who may not see it, and knows ids alone. */
async function rowsOf(call: Call, list: keyof typeof COMMANDS): Promise<readonly Row[]> {
  const limit = longestList(COMMANDS[list]);
  try {
    const rows = await call(list, limit === undefined ? {} : { limit });
    return Array.isArray(rows) ? rows : [];
  } catch (error) {
    if (error instanceof ContractError) return [];
    throw error;
  }
}

/** The id of what is named; a text that names nothing stays, for the command to refuse. @throws {ContractError} NameAmbiguous */
function idIn(rows: readonly Row[], by: string, text: string): string {
  if (rows.some(({ id }) => id === text)) return text;
  const found = rows.filter((row) => row[by] === text);
  if (found.length <= 1) return found[0]?.id ?? text;
  const ids = found.slice(0, MOST_IDS).map(({ id }) => id).join(", ");
  throw new ContractError("NameAmbiguous", { name: text, ids });
}

/**
 * The fields of an input with ids in the place of names: texts, and lists of texts.
 *
 * @throws {ContractError} NameAmbiguous
 */
export async function withIds(
  call: Call,
  input: Readonly<Record<string, unknown>>,
): Promise<Record<string, unknown>> {
  const changed = { ...input };
  for (const [field, value] of Object.entries(input)) {
    const texts = [value].flat().filter((each): each is string =>
      typeof each === "string" && !UUID.test(each)
    );
    if (texts.length === 0 || !isNamed(field)) continue;
    const { list, by } = identified(field)!, rows = await rowsOf(call, list);
    const named = (each: unknown) => typeof each === "string" ? idIn(rows, by, each) : each;
    changed[field] = Array.isArray(value) ? value.map(named) : named(value);
  }
  return changed;
}
