/** Takes secrets out of what a program that speaks MCP gets: the contract marks their fields (`SECRET`). Pure. */

/** What stands in the place of a secret. */
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

function cleaned(schemas: readonly Schema[], value: unknown): unknown {
  const shapes = schemas.flatMap(shapesOf);
  if (value === null || value === undefined) return value;
  if (shapes.some((shape) => shape["x-secret"] === true)) return HIDDEN;
  if (typeof value !== "object") return value;
  if (Array.isArray(value)) {
    const items = shapes.flatMap((shape) => shape.items === undefined ? [] : [shape.items]);
    return value.map((each) => cleaned(items, each));
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, cleaned(fieldsOf(shapes, name), each)]),
  );
}

/** A value without what its schema marks as secret, however deep. */
export const withoutSecrets = (schema: unknown, value: unknown): unknown =>
  cleaned([schema as Schema], value);
