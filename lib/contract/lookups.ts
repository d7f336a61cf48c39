/** What fields name: the command that lists it, and the field of its entries that people type. Pure. */
import type { Command, Lookup } from "./command.ts";
import type { ErrorCode } from "./errors.ts";
import { type CommandName, COMMANDS } from "./mod.ts";

/** What a field names: where it is looked up, and the command that lists it. */
export interface Resource extends Lookup {
  readonly list: CommandName;
}

/** Field → what its values name, from the rows that say so. */
export const RESOURCES: ReadonlyMap<string, Resource> = new Map(
  (Object.entries(COMMANDS) as [CommandName, Command][]).flatMap(([list, { lookup, rows }]) =>
    (lookup?.fields ?? []).map((field) => [
      field,
      { ...lookup!, ...(rows !== undefined && { in: rows }), list },
    ])
  ),
);

/** What a field holds the id of; undefined where it holds none. */
export function identified(field: string): (Resource & { readonly missing: ErrorCode }) | undefined {
  const resource = RESOURCES.get(field);
  return resource?.missing === undefined ? undefined : { ...resource, missing: resource.missing };
}

/** Whether a field has the id of something that has a name. */
export const isNamed = (field: string) => (identified(field)?.by ?? "id") !== "id";

/** As much of a list as it gives at once; undefined where it gives all. */
export function longestList({ input }: Pick<Command, "input">): number | undefined {
  const { properties = {} } = input as { properties?: { limit?: { maximum?: number } } };
  return properties.limit?.maximum;
}

/**
 * What a list is asked for so that it gives all that a name may stand for.
 *
 * @param host that the names are of; it is left out where the list is of all hosts
 */
export function wholeList(list: Pick<Command, "input">, host?: unknown): Record<string, unknown> {
  const { properties = {} } = list.input as { properties?: { host?: unknown } }, limit = longestList(list);
  return {
    ...(limit !== undefined && { limit }),
    ...(host !== undefined && properties.host !== undefined && { host }),
  };
}
