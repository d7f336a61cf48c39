/** Skills: commands in order, with places for parameters. Pure. */
import { ContractError } from "../contract/errors.ts";
import { message } from "../i18n/message.ts";
import type { SkillStep } from "../contract/tools.ts";

/** A place of a parameter in a text. */
const PLACE = /\{\{([a-z][a-z0-9_]*)\}\}/g;
/** Objects within objects of a step's input: none of the contract's is as deep. */
const MOST_DEEP = 12;

function eachText(value: unknown, at: (text: string) => string, depth = 0): unknown {
  if (depth > MOST_DEEP) {
    throw new ContractError("InvalidInput", {
      reason: "the input of a step is nested too deeply",
      field: "steps",
    });
  }
  if (typeof value === "string") return at(value);
  if (Array.isArray(value)) return value.map((each) => eachText(each, at, depth + 1));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, eachText(each, at, depth + 1)]),
  );
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
