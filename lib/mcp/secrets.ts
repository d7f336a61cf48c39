/** Takes secrets out of what a program that speaks MCP gets: the contract marks their fields (`SECRET`). Pure. */

/** Placeholder for a secret. */
export const HIDDEN = "(secret)";

interface Schema {
  readonly "x-secret"?: boolean;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

/** The schemas of an object's field: of each shape that the object may have. */
function fieldsOf(schemas: readonly Schema[], name: string): Schema[] {
  return schemas.flatMap((schema) => {
    const { properties = {}, patternProperties = {}, additionalProperties } = schema;
    if (Object.hasOwn(properties, name)) return [properties[name]!];
    const others = typeof additionalProperties === "object" ? [additionalProperties] : [];
    return [...Object.values(patternProperties), ...others];
  });
}

/** A schema and all those it is put together of. */
function shapesOf(schema: Schema): Schema[] {
  const parts = [...schema.anyOf ?? [], ...schema.allOf ?? [], ...schema.oneOf ?? []];
  return [schema, ...parts.flatMap(shapesOf)];
}

/**
 * Returns the replacement for a secret.
 *
 * @param path names of the fields and places in lists that lead to it, with dots
 */
type Replace = (secret: unknown, path: string) => unknown;

function replaced(schemas: readonly Schema[], value: unknown, path: readonly string[], by: Replace): unknown {
  const shapes = schemas.flatMap(shapesOf);
  if (value === null || value === undefined) return value;
  if (shapes.some((shape) => shape["x-secret"] === true)) return by(value, path.join("."));
  if (typeof value !== "object") return value;
  if (Array.isArray(value)) {
    const items = shapes.flatMap((shape) => shape.items === undefined ? [] : [shape.items]);
    return value.map((each, at) => replaced(items, each, [...path, String(at)], by));
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name,
      replaced(fieldsOf(shapes, name), each, [...path, name], by),
    ]),
  );
}

/** A value with something else in the place of what its schema marks as secret, however deep. */
export const replaceSecrets = (schema: unknown, value: unknown, by: Replace): unknown =>
  replaced([schema as Schema], value, [], by);

/** A value without what its schema marks as secret. */
export const withoutSecrets = (schema: unknown, value: unknown): unknown =>
  replaceSecrets(schema, value, () => HIDDEN);
