/**
 * JSON Schemas of the contract as messages. Each JSON value that a schema allows has one message and is that value again when
 * it is read. Pure.
 *
 * - Objects that the contract exports keep their name; others are called after where they stand.
 * - What a program sends has presence for each scalar, so that a field left out is told from a zero.
 * - An optional list or map has a mark for "there, and empty"; what may be null and may be left out has one for "null".
 */
import * as contract from "../contract/mod.ts";
import { type Presence, type ProtoMessage, type Scalar, snakeName } from "./model.ts";
import { type LockedField, type NumberLock, numbersFor } from "./numbers.ts";

/** The part of JSON Schema that the contract uses. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: boolean | JsonSchema;
}

/** Any JSON: google.protobuf.Value. */
export const VALUE = "google.protobuf.Value";

/** Representation of a schema's values on the wire. */
interface Shape {
  /** A scalar, or a message's full name. */
  readonly type: string;
  readonly presence: Presence;
  readonly nullable: boolean;
}

/** A field before it has a number. */
type Draft = Omit<ProtoMessage["fields"][number], "number">;
interface DraftMessage extends Omit<ProtoMessage, "fields" | "reserved"> {
  readonly fields: readonly Draft[];
}

const SCALAR_OF: Readonly<Record<string, Scalar>> = {
  string: "string",
  integer: "int64",
  number: "double",
  boolean: "bool",
};

const isObject = (schema: JsonSchema) => schema.type === "object";
const hasFields = (schema: JsonSchema) => Object.keys(schema.properties ?? {}).length > 0;

/** The schema of the values of a map; undefined for what is none. */
function valuesOf(schema: JsonSchema): JsonSchema | undefined {
  if (!isObject(schema) || hasFields(schema)) return undefined;
  const [pattern] = Object.values(schema.patternProperties ?? {});
  if (pattern !== undefined) return pattern;
  return typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
}

/** Schema without null, and whether it allows null. */
function withoutNull(schema: JsonSchema): { readonly schema: JsonSchema; readonly nullable: boolean } {
  const { anyOf } = schema;
  if (anyOf === undefined) return { schema, nullable: false };
  const others = anyOf.filter(({ type }) => type !== "null");
  const nullable = others.length < anyOf.length;
  const description = schema.description === undefined ? {} : { description: schema.description };
  return { schema: others.length === 1 ? { ...others[0]!, ...description } : { anyOf: others }, nullable };
}

const isAlike = (one: JsonSchema, other: JsonSchema) =>
  scalarOf(one) === undefined ? textOf(one) === textOf(other) : scalarOf(one) === scalarOf(other);

/** Objects one of which it is, as one with the fields of all; undefined where they cannot be told by their fields. */
function merged(variants: readonly JsonSchema[]): JsonSchema | undefined {
  if (!variants.every((each) => isObject(each) && hasFields(each))) return undefined;
  const properties: Record<string, JsonSchema> = {};
  for (const variant of variants) {
    for (const [name, schema] of Object.entries(variant.properties!)) {
      const known = properties[name];
      if (known !== undefined && !isAlike(known, schema)) return undefined;
      properties[name] ??= schema;
    }
  }
  const required = Object.keys(properties).filter((name) =>
    variants.every((variant) => variant.required?.includes(name))
  );
  return { type: "object", properties, required };
}

function scalarOf(schema: JsonSchema): Scalar | undefined {
  const typed = SCALAR_OF[schema.type ?? ""];
  if (typed !== undefined) return typed;
  const [example] = schema.enum ?? [schema.const];
  return typeof example === "string" || typeof example === "boolean" ? SCALAR_OF[typeof example] : undefined;
}

/** A schema as text without what is of its place alone, to find one with a name again that was copied. */
function textOf(schema: unknown): string {
  return JSON.stringify(
    schema,
    (key, value) => key === "description" && typeof value === "string" ? undefined : value,
  );
}

const exported = () =>
  Object.entries(contract as unknown as Readonly<Record<string, JsonSchema>>).filter(([, value]) =>
    typeof value === "object" && value !== null && value.type === "object" &&
    value.properties !== undefined &&
    hasFields(value)
  );

/** Comment of a field: its description, and its allowed words. */
function commentOf(schema: JsonSchema): string | undefined {
  const { enum: words } = withoutNull(schema).schema;
  const choice = words === undefined
    ? []
    : [`One of ${words.map((word) => JSON.stringify(word)).join(", ")}.`];
  const parts = [...(schema.description === undefined ? [] : [schema.description]), ...choice];
  return parts.length === 0 ? undefined : parts.join(". ").replace("..", ".");
}

/** Makes messages of schemas, in one package. */
export class SchemaMessages {
  readonly #named = new Map<string, string>();
  readonly #drafts = new Map<string, DraftMessage>();
  /** Messages that are a part of what is sent to us: made with presence. */
  readonly #inputs = new Set<string>();
  readonly #schemas = new Map<string, string>();

  constructor(readonly packageName: string) {
    for (const [name, schema] of exported()) {
      const text = textOf(schema);
      if (!this.#named.has(text)) this.#named.set(text, name);
    }
  }

  /**
   * The message for a schema's values, which is an object's own, or one around what is no object.
   *
   * @param name what it is called where the schema has no name; a name that is taken by another schema is an error
   * @param isInput whether it is sent to us
   * @returns its full name
   */
  message(schema: JsonSchema, name: string, isInput: boolean): string {
    const { schema: inner, nullable } = withoutNull(schema);
    const shape = inner.anyOf === undefined ? inner : merged(inner.anyOf);
    if (inner.type === "null") return this.#add({ name, fields: [], isNull: true }, textOf(schema));
    if (!nullable && shape !== undefined && isObject(shape) && valuesOf(shape) === undefined) {
      return this.#object(shape, name, isInput);
    }
    const list = inner.type === "array";
    return this.#wrapper(schema, name, list ? "items" : "value", isInput);
  }

  /** The message of what is sent with a call: one of its own, whatever schema has the same fields. @returns its full name */
  request(schema: JsonSchema, name: string): string {
    this.#object(schema, name, true, true);
    return `${this.packageName}.${name}`;
  }

  /** A message around another one. @returns its full name */
  around(type: string, name: string): string {
    const value: Draft = { name: "value", json: "value", type, presence: "optional" };
    return this.#add({ name, fields: [value], wraps: "value" }, `around ${type}`);
  }

  /** Adds a message with fields of its own choosing. @returns its full name */
  custom(name: string, fields: readonly Draft[], comment?: string): string {
    return this.#add({ name, fields, ...(comment !== undefined && { comment }) }, name);
  }

  /** Fields of messages by name, for the lock. */
  locked(): Map<string, readonly LockedField[]> {
    return new Map(
      [...this.#drafts].map(([name, { fields }]) => [name, fields.map((each) => this.#wire(each))]),
    );
  }

  /** The messages, numbered. */
  numbered(lock: NumberLock): ProtoMessage[] {
    return [...this.#drafts].map(([name, draft]) => {
      const { of, reserved } = numbersFor(lock[name] ?? [], draft.fields.map((each) => this.#wire(each)));
      return {
        ...draft,
        name: `${this.packageName}.${name}`,
        fields: draft.fields.map((each) => ({ ...each, number: of.get(each.name)! }))
          .sort((a, b) => a.number - b.number),
        ...(reserved.length > 0 && { reserved }),
      };
    });
  }

  #wire({ name, type, presence }: Draft): LockedField {
    const own = `${this.packageName}.`;
    const short = type.startsWith(own) ? type.slice(own.length) : type;
    return { name, wire: presence === "repeated" || presence === "map" ? `${presence} ${short}` : short };
  }

  #add(draft: DraftMessage, text: string): string {
    const { name } = draft, known = this.#schemas.get(name);
    if (known === undefined) {
      this.#schemas.set(name, text);
      this.#drafts.set(name, draft);
    } else if (known !== text) throw new Error(`two schemas would have the message ${name}`);
    return `${this.packageName}.${name}`;
  }

  #object(schema: JsonSchema, name: string, isInput: boolean, isOwn = false): string {
    const text = textOf(schema), named = isOwn ? undefined : this.#named.get(text), called = named ?? name;
    const isNew = !this.#schemas.has(called) || (isInput && !this.#inputs.has(called));
    if (!isNew) return this.#add({ name: called, fields: [] }, text);
    if (isInput) this.#inputs.add(called);
    // Its place is taken before its parts are looked at
    if (!this.#schemas.has(called)) this.#add({ name: called, fields: [] }, text);
    else if (this.#schemas.get(called) !== text) {
      throw new Error(`two schemas would have the message ${called}`);
    }
    const fields = Object.entries(schema.properties ?? {}).flatMap(([json, part]) =>
      this.#fields(json, part, {
        owner: called,
        isInput: this.#inputs.has(called),
        isRequired: schema.required?.includes(json) ?? false,
      })
    );
    this.#drafts.set(called, {
      name: called,
      fields,
      ...(schema.description !== undefined && { comment: schema.description }),
    });
    return `${this.packageName}.${called}`;
  }

  /** The fields for one property: its own, and its marks. */
  #fields(
    json: string,
    schema: JsonSchema,
    { owner, isInput, isRequired }: { owner: string; isInput: boolean; isRequired: boolean },
  ): Draft[] {
    const { type, presence, nullable } = this.#shape(schema, `${owner}_${upperFirst(json)}`, isInput);
    const name = snakeName(json), isMany = presence === "repeated" || presence === "map";
    const description = commentOf(schema);
    const own: Draft = {
      name,
      json,
      type,
      presence: isMany ? presence : isInput || !isRequired || nullable ? "optional" : "implicit",
      ...(nullable && !isInput && isRequired && { isNullable: true as const }),
      ...(description !== undefined && { comment: description }),
    };
    const mark = (marks: "empty" | "null"): Draft => ({
      name: `${name}_is_${marks}`,
      json,
      marks,
      type: "bool",
      presence: "implicit",
      comment: marks === "null"
        ? `${name} is given, as null`
        : `${name} is given, and has nothing in it; without this it is left out`,
    });
    return [
      own,
      ...(isMany && (!isRequired || nullable) ? [mark("empty")] : []),
      ...(nullable && (isInput || !isRequired) ? [mark("null")] : []),
    ];
  }

  #shape(given: JsonSchema, name: string, isInput: boolean): Shape {
    const { schema: inner, nullable } = withoutNull(given);
    const schema = inner.anyOf === undefined ? inner : merged(inner.anyOf);
    if (schema === undefined) return { type: VALUE, presence: "optional", nullable: false };
    const scalar = scalarOf(schema);
    if (scalar !== undefined) return { type: scalar, presence: "implicit", nullable };
    if (schema.type === "array" && schema.items !== undefined) {
      return { type: this.#element(schema.items, `${name}_Item`, isInput), presence: "repeated", nullable };
    }
    const values = valuesOf(schema);
    if (values !== undefined) {
      return { type: this.#element(values, `${name}_Value`, isInput), presence: "map", nullable };
    }
    if (isObject(schema) && schema.properties !== undefined) {
      return { type: this.#object(schema, name, isInput), presence: "optional", nullable };
    }
    return { type: VALUE, presence: "optional", nullable: false };
  }

  /**
   * Type of an element of a list or a map: a list has no lists and no nulls of its own, so that those have a message
   * around them.
   */
  #element(schema: JsonSchema, name: string, isInput: boolean): string {
    const { schema: inner, nullable } = withoutNull(schema);
    const scalar = inner.anyOf === undefined ? scalarOf(inner) : undefined;
    if (nullable && scalar !== undefined) return this.#nullable(scalar);
    const { type, presence } = this.#shape(schema, name, isInput);
    return nullable || presence === "repeated" || presence === "map"
      ? this.#wrapper(schema, name, "value", isInput)
      : type;
  }

  #nullable(scalar: Scalar): string {
    const name = `Nullable${upperFirst(scalar)}`;
    return this.#add({
      name,
      wraps: "value",
      comment: `null where value is missing`,
      fields: [{ name: "value", json: "value", type: scalar, presence: "optional" }],
    }, name);
  }

  #wrapper(schema: JsonSchema, name: string, json: string, isInput: boolean): string {
    const { type, presence, nullable } = this.#shape(schema, `${name}_Item`, isInput);
    const isMany = presence === "repeated" || presence === "map";
    const own: Draft = { name: json, json, type, presence: isMany ? presence : "optional" };
    const mark: Draft = {
      name: `${json}_is_empty`,
      json,
      marks: "empty",
      type: "bool",
      presence: "implicit",
      comment: "it is there and empty; without this it is null",
    };
    return this.#add(
      { name, wraps: json, fields: [own, ...(isMany && nullable ? [mark] : [])] },
      textOf(schema),
    );
  }
}

const upperFirst = (text: string) =>
  text.replace(/[^A-Za-z0-9]+(.)/g, (_all, letter: string) => letter.toUpperCase())
    .replace(/^./, (letter) => letter.toUpperCase());
