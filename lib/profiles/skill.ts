/** Skills: commands in order, with places for parameters. Pure. */
import { ContractError } from "../contract/errors.ts";
import { type Command, type CommandName, COMMANDS } from "../contract/mod.ts";
import { PARAMETER_TYPES, type ParameterType, type SkillParameter } from "../contract/profiles.ts";
import { message } from "../i18n/message.ts";
import type { SkillStep } from "../contract/tools.ts";
import { type FormField, formField } from "../text/form_input.ts";
import { type FieldSchema, unwrappedSchema } from "../text/values.ts";

/** A place of a parameter in a text. */
const PLACE = /\{\{([a-z][a-z0-9_]*)\}\}/g;
/** Objects within objects of a step's input: none of the contract's is as deep. */
const MOST_DEEP = 12;

/** A text that is one place and nothing else: its value is read as the field's schema wants it. */
export const WHOLE_PLACE = /^\{\{([a-z][a-z0-9_]*)\}\}$/;

/** The value with its texts replaced. @param at gets each text, with its path in the value */
function eachText(value: unknown, at: (text: string, path: string) => string, path = "", depth = 0): unknown {
  if (depth > MOST_DEEP) {
    throw new ContractError("InvalidInput", {
      reason: "the input of a step is nested too deeply",
      field: "steps",
    });
  }
  if (typeof value === "string") return at(value, path);
  if (typeof value !== "object" || value === null) return value;
  const filled = Object.entries(value).map(([name, each]) =>
    [name, eachText(each, at, path === "" ? name : `${path}.${name}`, depth + 1)] as const
  );
  return Array.isArray(value) ? filled.map(([, each]) => each) : Object.fromEntries(filled);
}

/** Names of the parameters that steps have places for. @throws {ContractError} InvalidInput */
export function parametersIn(steps: readonly SkillStep[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { input } of steps) {
    eachText(input, (text) => {
      for (const [, name] of text.matchAll(PLACE)) found.add(name!);
      return text;
    });
  }
  return found;
}

/**
 * The input of a step, its places filled. A value is put in once, as text within the text that has the place: it makes no field,
 * and its own braces stand for nothing.
 *
 * @throws {ContractError} InvalidInput where a value is missing
 */
export function filledInput(
  { input }: SkillStep,
  values: ReadonlyMap<string, string>,
): Record<string, unknown> {
  return eachText(input, (text) =>
    text.replaceAll(PLACE, (_place, name: string) => {
      const value = values.get(name);
      if (value === undefined) {
        throw new ContractError("InvalidInput", {
          reason: message`the parameter ${name} is missing: give parameters.${name}`,
          field: `parameters.${name}`,
        });
      }
      return value;
    })) as Record<string, unknown>;
}

/** The values of the parameters that a skill has. @throws {ContractError} InvalidInput for one that it has not, or without a value */
export function valuesFor(
  parameters: readonly string[],
  given: Readonly<Record<string, string>>,
): ReadonlyMap<string, string> {
  const values = new Map(Object.entries(given));
  const wrong = [...values.keys()].find((name) => !parameters.includes(name));
  if (wrong !== undefined) {
    const known = parameters.length === 0 ? "it has none" : `it has ${parameters.join(", ")}`;
    throw new ContractError("InvalidInput", {
      reason: message`the skill has no parameter ${JSON.stringify(wrong.slice(0, 32))}: ${known}`,
      field: "parameters",
    });
  }
  const missing = parameters.find((name) => !values.has(name));
  if (missing !== undefined) {
    throw new ContractError("InvalidInput", {
      reason: message`the parameter ${missing} is missing: give parameters.${missing}`,
      field: `parameters.${missing}`,
    });
  }
  return values;
}

const isParameterType = (type: string | undefined): type is ParameterType =>
  PARAMETER_TYPES.some((each) => each === type);

/** The fields that are a parameter and nothing else, in order, by its name. */
function fieldsOf(
  steps: readonly SkillStep[],
): ReadonlyMap<string, readonly (FormField & { name: string })[]> {
  const found: [parameter: string, FormField & { name: string }][] = [];
  for (const { command, input } of steps) {
    const row: Command | undefined = Object.hasOwn(COMMANDS, command)
      ? COMMANDS[command as CommandName]
      : undefined;
    eachText(input, (text, path) => {
      const [, parameter] = WHOLE_PLACE.exec(text) ?? [];
      if (parameter === undefined || row === undefined) return text;
      found.push([parameter, { name: path, ...formField(row.input as FieldSchema, path) }]);
      return text;
    });
  }
  const groups = Map.groupBy(found, ([parameter]) => parameter);
  return new Map([...groups].map(([parameter, fields]) => [parameter, fields.map(([, field]) => field)]));
}

/** Parameters of a skill. One that fills several fields has the type of the first one that is no text. */
export function skillParameters(
  { parameters, steps }: { readonly parameters: readonly string[]; readonly steps: readonly SkillStep[] },
): SkillParameter[] {
  const all = fieldsOf(steps);
  return parameters.map((name) => {
    const fields = all.get(name) ?? [];
    const types = fields.map(({ schema }) => schema === undefined ? undefined : unwrappedSchema(schema).type);
    return {
      name,
      type: types.filter(isParameterType).find((type) => type !== "string") ?? "string",
      required: true,
      field: fields[0]?.name ?? null,
      is_secret: fields.some(({ isSecret }) => isSecret),
    };
  });
}
