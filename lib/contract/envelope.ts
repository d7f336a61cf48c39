/** Inputs whose fields stand in an object of their own (`{ config }`, `{ options }`). Pure. */
import type { Command } from "./command.ts";
import { ContractError } from "./errors.ts";

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * The fields of an input, taken out of the command's envelope where they came in it.
 *
 * @returns the input, or the error of one that has an envelope and cannot be opened
 */
export function openEnvelope({ envelope }: Pick<Command, "envelope">, input: unknown): unknown {
  if (envelope === undefined || !isObject(input) || !Object.hasOwn(input, envelope)) return input;
  const { [envelope]: inner, ...beside } = input;
  const invalid = (reason: string) => new ContractError("InvalidInput", { reason, field: envelope });
  if (!isObject(inner)) return invalid(`${envelope} must be an object with the command's fields`);
  const twice = Object.keys(beside).find((name) => Object.hasOwn(inner, name));
  if (twice !== undefined) {
    return invalid(`${twice.slice(0, 64)} was given twice: in ${envelope} and beside it`);
  }
  return { ...beside, ...inner };
}
