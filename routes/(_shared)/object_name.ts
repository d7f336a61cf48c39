/** Name of the object of a form, as people know it. */
import { ContractError } from "../../lib/contract/errors.ts";
import { type Command, type CommandName, COMMANDS } from "../../lib/contract/mod.ts";
import type { PageState } from "../../lib/page_state.ts";

type Fields = Readonly<Record<string, unknown>>;
type Calls = Readonly<Record<string, (input: unknown) => Promise<unknown>>>;

/** Fields that name something that is made, or give it another name. */
const NEW_NAMES = ["name", "newName", "volume"];
/** Commands after which something has another name than before. */
const NAMING = /^(create|import|clone|rename|restore)_/;

const fieldsOf = (value: unknown): Fields => typeof value === "object" && value !== null ? { ...value } : {};

const isId = (field: string): boolean => /^id$|Id$/.test(field);

/** The field that says what a command is about: the last one of its address that has a name. */
export const subjectField = ({ route }: Command): string | undefined =>
  [...route.matchAll(/\{(\w+)\}/g)].map(([, field]) => field!).findLast((field) =>
    !isId(field) || listOf(field) !== undefined
  );

/** The list in which a field's ids are found, and how its rows are named. */
function listOf(
  field: string,
): { readonly call: string; readonly by: string; readonly rows?: string } | undefined {
  for (const [name, { lookup, route, rows }] of Object.entries(COMMANDS) as [string, Command][]) {
    if (lookup === undefined || !lookup.fields.includes(field) || route.includes("{")) continue;
    const by = lookup.by === "id" ? lookup.more ?? "id" : lookup.by;
    return { call: methodOf(name), by, ...(rows !== undefined && { rows }) };
  }
  return undefined;
}

/** `delete_vm` → `deleteVm`. */
export const methodOf = (command: string): string =>
  command.replace(/_([a-z])/g, (_under, letter: string) => letter.toUpperCase());

const textIn = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

/** The name of what a field's id stands for; undefined where it cannot be seen, or is not there. */
async function nameOf(api: PageState["api"], field: string, id: string): Promise<string | undefined> {
  const list = listOf(field);
  if (list === undefined || !isId(field)) return id;
  try {
    const answer = await (api as unknown as Calls)[list.call]!({});
    const rows: unknown = list.rows === undefined ? answer : fieldsOf(answer)[list.rows];
    const row = Array.isArray(rows) ? rows.map(fieldsOf).find((each) => each.id === id) : undefined;
    return row && (textIn(row[list.by]) ?? id);
  } catch (error) {
    // Who may not list them sees what was done without its name.
    if (error instanceof ContractError) return undefined;
    throw error;
  }
}

/**
 * The name of what a command is about, before it is carried out: afterwards it may be gone. Undefined where the command is
 * about nothing with a name, or makes it.
 */
export async function subjectName(
  api: PageState["api"],
  command: CommandName,
  input: Fields,
): Promise<string | undefined> {
  const field = subjectField(COMMANDS[command]), value = field && input[field];
  return field !== undefined && typeof value === "string" ? await nameOf(api, field, value) : undefined;
}

/** The name that a command has given, by its input or its answer; undefined for commands that give none. */
export function givenName(command: CommandName, input: Fields, answer: unknown): string | undefined {
  if (!NAMING.test(command) && subjectField(COMMANDS[command]) !== undefined) return undefined;
  const named = (from: unknown) => NEW_NAMES.map((name) => textIn(fieldsOf(from)[name]));
  return [...named(input), ...named(answer)].find((name) => name !== undefined);
}
