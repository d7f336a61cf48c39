/** Resources that fields name: the command that lists them, and the field of its entries that users type. Pure. */
import type { Command, Lookup } from "./command.ts";
import type { ErrorCode } from "./errors.ts";
import { type CommandName, COMMANDS } from "./mod.ts";

/** Resource that a field names: how it is looked up, and the command that lists it. */
export interface Resource extends Lookup {
  readonly list: CommandName;
}

/** Field → what its values name, from the rows that say so. */
const RESOURCES: ReadonlyMap<string, Resource> = new Map(
  (Object.entries(COMMANDS) as [CommandName, Command][]).flatMap(([list, { lookup, rows }]) =>
    (lookup?.fields ?? []).map((field) => [
      field,
      { ...lookup!, ...(rows !== undefined && { in: rows }), list },
    ])
  ),
);

/** Fields of a command that are looked up as others. */
export type NamedAs = Command["namedAs"];

/** Resource that a field of a command names; undefined if it names none. */
export const resourceOf = (field: string, namedAs?: NamedAs): Resource | undefined =>
  RESOURCES.get(namedAs?.[field] ?? field);

/** Resource whose id a field of a command holds; undefined if it holds none. */
export function identified(
  field: string,
  namedAs?: NamedAs,
): (Resource & { readonly missing: ErrorCode }) | undefined {
  const resource = resourceOf(field, namedAs);
  return resource?.missing === undefined ? undefined : { ...resource, missing: resource.missing };
}

/** Whether a field has the id of something that has a name. */
export const isNamed = (field: string, namedAs?: NamedAs) =>
  (identified(field, namedAs)?.by ?? "id") !== "id";

/** As much of a list as it gives at once; undefined where it gives all. */
export function longestList({ input }: Pick<Command, "input">): number | undefined {
  const { properties = {} } = input as { properties?: { limit?: { maximum?: number } } };
  return properties.limit?.maximum;
}

/**
 * Input for a list that gets all entries that a name may stand for.
 *
 * @param host host of the names; left out for a list of all hosts
 */
export function wholeList(list: Pick<Command, "input">, host?: unknown): Record<string, unknown> {
  const { properties = {} } = list.input as { properties?: { host?: unknown } }, limit = longestList(list);
  return {
    ...(limit !== undefined && { limit }),
    ...(host !== undefined && properties.host !== undefined && { host }),
  };
}
