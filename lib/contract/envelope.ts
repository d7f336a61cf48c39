/** Inputs in the shapes of the seed: fields in an object of their own (`{ config }`, `{ options }`), `poolId`. Pure. */
import type { Command } from "./command.ts";
import { ContractError } from "./errors.ts";
import { message, type Sentence } from "../i18n/message.ts";

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Names of fields in the seed → ours. */
const SEED_NAMES = { poolId: "pool" } as const;

/** An input with our names for the fields of the command; the error of one that has a field under both names. */
function ownNames({ input: schema }: Pick<Command, "input">, input: unknown): unknown {
  if (!isObject(input)) return input;
  const { properties } = schema as { readonly properties?: object };
  let named = input;
  for (const [theirs, ours] of Object.entries(SEED_NAMES)) {
    const isMeant = properties !== undefined && ours in properties && !(theirs in properties);
    if (!isMeant || !Object.hasOwn(named, theirs)) continue;
    if (Object.hasOwn(named, ours)) {
      return new ContractError("InvalidInput", {
        reason: message`${ours} was given twice: also as ${theirs}`,
        field: theirs,
      });
    }
    const { [theirs]: value, ...others } = named;
    named = { ...others, [ours]: value };
  }
  return named;
}

/**
 * The fields of an input, taken out of the command's envelope where they came in it.
 *
 * @returns the input, or the error of one that has an envelope and cannot be opened
 */
export function openEnvelope({ envelope }: Pick<Command, "envelope">, input: unknown): unknown {
  if (envelope === undefined || !isObject(input) || !Object.hasOwn(input, envelope)) return input;
  const { [envelope]: inner, ...outer } = input;
  const invalid = (reason: Sentence) => new ContractError("InvalidInput", { reason, field: envelope });
  if (!isObject(inner)) return invalid(message`${envelope} must be an object with the command's fields`);
  const twice = Object.keys(outer).find((name) => Object.hasOwn(inner, name));
  if (twice !== undefined) {
    return invalid(message`${twice.slice(0, 64)} was given twice: in ${envelope} and next to it`);
  }
  return { ...outer, ...inner };
}

/**
 * An input in the contract's own shape: out of its envelope, and with our names for its fields.
 *
 * @returns the input, or the error of one in which that cannot be told
 */
export function ownFields(command: Pick<Command, "envelope" | "input">, input: unknown): unknown {
  const opened = openEnvelope(command, input);
  return opened instanceof ContractError ? opened : ownNames(command, opened);
}
