/** The commands as a program looks them up: by words, and one by one. All of it is read from the contract. Pure. */
import type { Command, CommandTable } from "../contract/command.ts";
import { ERRORS, errorText } from "../contract/errors.ts";
import { inputFields, requiredFields } from "../contract/rest.ts";
import { needOf } from "../access/permissions.ts";
import type { CommandName } from "../contract/mod.ts";
import { CONTRACT, notOffered } from "./offered.ts";

/** Commands that one search finds at most. */
const MOST_FOUND = 25;
/** Words of a query that count. */
const MOST_WORDS = 12;

/** A command in a list. */
export interface CatalogueEntry {
  readonly name: string;
  readonly summary: string;
  readonly reads: boolean;
  readonly destroys?: string;
}

const found = (name: string, { summary, readOnly, destroys }: Command): CatalogueEntry => ({
  name,
  summary,
  reads: readOnly,
  ...(destroys !== undefined && { destroys }),
});

/** How well a command fits a word; 0 for not at all. */
function fit(word: string, name: string, { summary, description = "", cli, aliases = [] }: Command): number {
  const parts = name.split("_");
  if (parts.includes(word)) return 8;
  // "snapshots" for "snapshot", and the other way
  if (parts.some((part) => part.startsWith(word) || (part.length > 2 && word.startsWith(part)))) return 5;
  const words = [...cli.filter((each) => !each.startsWith("<")), ...aliases].join(" ").toLowerCase();
  if (words.includes(word)) return 4;
  if (summary.toLowerCase().includes(word)) return 3;
  return description.toLowerCase().includes(word) ? 1 : 0;
}

/**
 * Commands that fit the words of a query, the best first; without words, the names of all.
 *
 * @param may whether who asks may call it at all
 */
export function matchCommands(
  query: string,
  may: (name: CommandName) => boolean,
  commands: CommandTable = CONTRACT,
): { readonly commands: readonly (CatalogueEntry | string)[]; readonly more: number } {
  const words = query.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter((word) => word !== "").slice(
    0,
    MOST_WORDS,
  );
  const offered = Object.entries(commands).filter(([name, row]) =>
    notOffered(row) === undefined && may(name as CommandName)
  );
  if (words.length === 0) return { commands: offered.map(([name]) => name), more: 0 };
  const ranked = offered.map(([name, row]) => {
    const fits = words.map((word) => fit(word, name, row));
    return { name, row, hits: fits.filter((each) => each > 0).length, sum: fits.reduce((a, b) => a + b, 0) };
  }).filter(({ hits }) => hits > 0).toSorted((a, b) => b.hits - a.hits || b.sum - a.sum);
  return {
    commands: ranked.slice(0, MOST_FOUND).map(({ name, row }) => found(name, row)),
    more: Math.max(0, ranked.length - MOST_FOUND),
  };
}

/** A schema without what is for our own doors alone. */
function plainSchema(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainSchema);
  if (typeof value !== "object" || value === null) return value;
  const isSecret = (value as { "x-secret"?: boolean })["x-secret"] === true;
  const kept = Object.entries(value).filter(([key]) => !key.startsWith("x-"));
  return {
    ...Object.fromEntries(kept.map(([key, part]) => [key, plainSchema(part)])),
    ...(isSecret && { format: "password" }),
  };
}

/** All that there is to know of a command before it is called. */
export function describeCommand(name: string, row: Command, withOutput = false): Record<string, unknown> {
  const { description, role, destroys, plan, isJob, input, output, errors, readOnly } = row;
  return {
    ...found(name, row),
    ...(description !== undefined && { description }),
    role,
    permission: needOf(name as CommandName).permission,
    carriedOutBy: readOnly ? "read" : "plan, then act",
    ...(destroys !== undefined && { destroys }),
    ...(plan !== undefined && { plannedWith: plan }),
    ...(isJob && { isTask: true }),
    required: requiredFields(row),
    input: plainSchema(input),
    ...(withOutput && { output: plainSchema(output) }),
    errors: errors.map((code) => ({ code, text: errorText(code), status: ERRORS[code].status })),
  };
}

/** The fields of an input that another command has as well. */
export function sharedInput(
  input: Readonly<Record<string, unknown>>,
  other: Command,
): Record<string, unknown> {
  const known = inputFields(other);
  return Object.fromEntries(Object.entries(input).filter(([name]) => Object.hasOwn(known, name)));
}
