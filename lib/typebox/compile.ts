/** Checking values against schemas, under the names of `typebox/compile` but without what else that can do. */
import type { Static, TSchema } from "npm-typebox";
import { Compile as compile } from "npm-typebox/schema";
import type { TLocalizedValidationError } from "npm-typebox/error";

/** A schema made into code. */
export class Validator<S extends TSchema = TSchema> {
  readonly #compiled: {
    Check(value: unknown): boolean;
    Errors(value: unknown): [result: boolean, errors: TLocalizedValidationError[]];
  };

  constructor(schema: S) {
    this.#compiled = compile(schema);
  }

  /** Whether the value is as the schema says. */
  Check(value: unknown): value is Static<S> {
    return this.#compiled.Check(value);
  }

  /** What is wrong with the value; nothing when it is as the schema says. */
  Errors(value: unknown): TLocalizedValidationError[] {
    return this.#compiled.Errors(value)[1];
  }
}

/** Makes code of a schema. */
export function Compile<S extends TSchema>(schema: S): Validator<S> {
  return new Validator(schema);
}

/** A check against a schema that is made into code when it is first used. */
export function checker<S extends TSchema>(schema: S): (value: unknown) => value is Static<S> {
  let validator: Validator<S> | undefined;
  return (value): value is Static<S> => (validator ??= Compile(schema)).Check(value);
}
