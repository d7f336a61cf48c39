/** The REST door's view of the contract: methods, paths, and where each input field travels. Pure. */
import type { TSchema } from "typebox";
import type { Command, RestMethod } from "./command.ts";
import { type CommandName, COMMANDS } from "./mod.ts";

/** A command's place in REST. */
export interface RestRoute {
  readonly name: CommandName;
  readonly command: Command;
  readonly method: RestMethod;
  /** Below `/api/v1`, with `{field}` places. */
  readonly path: string;
  /** Fields that are part of the path. */
  readonly pathFields: readonly string[];
}

/** Methods whose other fields travel in the query; the rest send JSON. */
export const IN_QUERY: ReadonlySet<RestMethod> = new Set(["GET", "DELETE"]);

/** Every command's place, in the contract's order. */
export const REST_ROUTES: readonly RestRoute[] = Object.entries(COMMANDS).map(([name, command]) => {
  const [method, path] = command.route.split(" ") as [RestMethod, string];
  const pathFields = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!);
  return { name: name as CommandName, command, method, path, pathFields };
});

/** The schemas of an input's fields. */
export function inputFields(command: Command): Record<string, TSchema> {
  return (command.input as { properties?: Record<string, TSchema> }).properties ?? {};
}

/** Names of fields that must be given. */
export function requiredFields(command: Command): readonly string[] {
  return (command.input as { required?: string[] }).required ?? [];
}

/**
 * A query or command-line text as the value its schema wants. What cannot be read stays the text it is, for the
 * validation to name.
 */
export function fromText(schema: TSchema | undefined, text: string): unknown {
  const { type } = (schema ?? {}) as { type?: string };
  if (type === "boolean") {
    return text === "true" || text === "1" || text === ""
      ? true
      : text === "false" || text === "0"
      ? false
      : text;
  }
  if ((type === "integer" || type === "number") && text.trim() !== "") {
    return Number.isFinite(Number(text)) ? Number(text) : text;
  }
  if (type === "array") {
    const items = (schema as { items?: TSchema }).items;
    return text === "" ? [] : text.split(",").map((item) => fromText(items, item));
  }
  return text;
}
