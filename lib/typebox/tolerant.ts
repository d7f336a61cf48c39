/**
 * Reading values of another version: fields that a schema does not know are left out instead of refused. The library's own
 * `Clean()` does not know schemas by their JSON alone, which is all that ours are.
 */
import type { Static, TSchema } from "npm-typebox";
import { fits } from "./compile.ts";

/** Parts of a schema that say which fields there are. */
interface Shape extends TSchema {
  readonly anyOf?: readonly Shape[];
  readonly items?: Shape;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly patternProperties?: Readonly<Record<string, Shape>>;
  readonly additionalProperties?: unknown;
}

/** A copy of a value without fields that a schema refuses. */
function without(schema: Shape, value: unknown): unknown {
  const { anyOf, items, properties, patternProperties = {}, additionalProperties } = schema;
  if (anyOf !== undefined) {
    return anyOf.map((each) => ({ each, read: without(each, value) })).find(({ each, read }) =>
      fits(each, read)
    )
      ?.read ?? value;
  }
  if (Array.isArray(value)) return items === undefined ? value : value.map((each) => without(items, each));
  if (typeof value !== "object" || value === null) return value;
  const patterns = Object.entries(patternProperties);
  const known = (name: string) =>
    properties !== undefined && Object.hasOwn(properties, name)
      ? properties[name]
      : patterns.find(([pattern]) => new RegExp(pattern, "u").test(name))?.[1];
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, each]) => {
      const shape = known(name);
      if (shape !== undefined) return [[name, without(shape, each)]];
      return additionalProperties === false ? [] : [[name, each]];
    }),
  );
}

/** A value as a schema says, without fields that the schema does not know; undefined where it does not fit for another reason. */
export function readAs<S extends TSchema>(schema: S, value: unknown): Static<S> | undefined {
  if (fits(schema, value)) return value;
  const known = without(schema, value);
  return fits(schema, known) ? known : undefined;
}
