/** Checking values against schemas, under the names of `typebox/compile` but without what else that can do. */
import type { Static, TSchema } from "npm-typebox";
import { Compile as compile } from "npm-typebox/schema";
import type { TLocalizedValidationError } from "npm-typebox/error";

/** Parts of a schema that say where lists are, and how long they may be. */
interface Shape {
  readonly maxItems?: number;
  readonly items?: Shape;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly anyOf?: readonly Shape[];
}

/** Lists that are longer than their schema allows. */
function* tooLong(schema: Shape, value: unknown, instancePath = ""): Generator<TLocalizedValidationError> {
  const { maxItems: limit = Infinity, items, properties = {}, anyOf = [] } = schema;
  if (Array.isArray(value)) {
    const message = `must not have more than ${limit} items`;
    if (value.length > limit) {
      return yield { keyword: "maxItems", schemaPath: "#", instancePath, params: { limit }, message };
    }
    for (const [at, each] of items ? value.entries() : []) {
      yield* tooLong(items!, each, `${instancePath}/${at}`);
    }
  } else if (typeof value === "object" && value !== null) {
    for (const [name, each] of Object.entries(properties)) {
      const field = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
      yield* tooLong(each, field, `${instancePath}/${name}`);
    }
  }
  for (const each of anyOf) yield* tooLong(each, value, instancePath);
}

/** A schema made into code. `T` is what fits it. */
export class Validator<T = unknown> {
  readonly #compiled: {
    Check(value: unknown): boolean;
    Errors(value: unknown): [result: boolean, errors: TLocalizedValidationError[]];
  };

  constructor(private readonly schema: TSchema) {
    this.#compiled = compile(schema);
  }

  /** Whether the value is as the schema says. */
  Check(value: unknown): value is T {
    return this.#compiled.Check(value);
  }

  /** Errors of the value; none if it fits the schema. */
  Errors(value: unknown): TLocalizedValidationError[] {
    // Of a list whose items must differ the library copies all it has found for each one that does not: quadratic.
    const long = tooLong(this.schema as Shape, value).next().value as TLocalizedValidationError | undefined;
    return long === undefined ? this.#compiled.Errors(value)[1] : [long];
  }
}

/** Makes code of a schema. */
export function Compile<S extends TSchema>(schema: S): Validator<Static<S>> {
  return new Validator<Static<S>>(schema);
}

const validators = new WeakMap<TSchema, Validator>();

/** Whether a value is as a schema says, which is made into code when it is first asked for. */
export function fits<S extends TSchema>(schema: S, value: unknown): value is Static<S> {
  let validator = validators.get(schema);
  if (validator === undefined) validators.set(schema, validator = Compile(schema));
  return validator.Check(value);
}

/** A check against a schema that is made into code when it is first used. */
export function checker<S extends TSchema>(schema: S): (value: unknown) => value is Static<S> {
  let validator: Validator<Static<S>> | undefined;
  return (value): value is Static<S> => (validator ??= Compile(schema)).Check(value);
}
