/** A JSON schema in the short notation that readers of TypeScript know: `"a" | "b"`, `string[] (≤ 8)`, `{ name; size? }`. */

interface Schema {
  readonly type?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly pattern?: string;
  readonly default?: unknown;
  readonly [bound: string]: unknown;
}

/** `1–64`, `≥ 1`, `≤ 64`, or nothing. */
function range(least: unknown, most: unknown): string {
  if (least === undefined) return most === undefined ? "" : `≤ ${most}`;
  return most === undefined ? `≥ ${least}` : `${least}–${most}`;
}

const bracketed = (text: string) => text === "" ? "" : ` (${text})`;

function element(schema: Schema): string {
  const text = notation(schema);
  return /[ |]/.test(text) ? `(${text})[]` : `${text}[]`;
}

function notation(schema: Schema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.anyOf) return schema.anyOf.map(notation).join(" | ");
  switch (schema.type) {
    case "string": {
      const pattern = schema.pattern === undefined ? "" : ` /${schema.pattern}/`;
      return `string${bracketed(range(schema.minLength, schema.maxLength))}${pattern}`;
    }
    case "integer":
    case "number":
      return `${schema.type}${bracketed(range(schema.minimum, schema.maximum))}`;
    case "array":
      return schema.items === undefined
        ? "array"
        : `${element(schema.items)}${bracketed(range(schema.minItems, schema.maxItems))}`;
    case "object": {
      if (schema.properties === undefined) return "object";
      const names = Object.keys(schema.properties).map((name) =>
        schema.required?.includes(name) ? name : `${name}?`
      );
      return `{ ${names.join("; ")} }`;
    }
    default:
      return typeof schema.type === "string" ? schema.type : JSON.stringify(schema);
  }
}

/** Notation of a field's type, with its default. */
export function schemaNotation(schema: Record<string, unknown>): string {
  const text = notation(schema as Schema);
  return schema.default === undefined ? text : `${text} = ${JSON.stringify(schema.default)}`;
}
