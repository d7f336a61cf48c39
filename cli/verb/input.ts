/** What a command is given beside its options: a file, standard input, secrets. */
import { parse } from "yaml";
import { messageOf } from "../../lib/message.ts";
import type { Terminal } from "../terminal.ts";
import type { Verb } from "./find.ts";
import { type Arguments, optionsOf, put } from "./options.ts";
import { UsageError } from "./values.ts";

/** Longer ones are no passwords but texts, which nobody types unseen. */
const LONGEST_TYPED = 1024;

/** Reads a file, or standard input for `-`: that once. */
function reader(terminal: Terminal): (file: string, flag: string) => Promise<string> {
  let taken: string | undefined;
  return async (file, flag) => {
    if (file === "-") {
      if (taken !== undefined) throw new UsageError(`${taken} and ${flag} cannot both read standard input`);
      taken = flag;
      return await terminal.input();
    }
    try {
      return await Deno.readTextFile(file);
    } catch (error) {
      throw new UsageError(`${flag} cannot be read: ${messageOf(error)}`);
    }
  };
}

function object(value: unknown, flag: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new UsageError(`${flag} must hold the fields of the input, as an object`);
}

function parsed(text: string, flag: string, read: (text: string) => unknown): Record<string, unknown> {
  let value: unknown;
  try {
    value = read(text);
  } catch (error) {
    throw new UsageError(`${flag} cannot be understood: ${messageOf(error)}`);
  }
  return object(value, flag);
}

/** Objects laid over each other; what is later wins. */
function merged(below: Record<string, unknown>, above: Record<string, unknown>): Record<string, unknown> {
  const result = { ...below };
  for (const [name, value] of Object.entries(above)) {
    const old = result[name];
    const isBoth = [old, value].every((each) =>
      typeof each === "object" && each !== null && !Array.isArray(each)
    );
    result[name] = isBoth ? merged(old as typeof below, value as typeof above) : value;
  }
  return result;
}

/** A secret without the new line that files and pipes end with. A text of several lines stays whole. */
const trimmed = (text: string) => /\n./.test(text) ? text : text.replace(/\r?\n$/, "");

/**
 * The whole input. Options win over `--input`, that over `--file`; a secret that is needed and missing is asked for.
 *
 * @throws {UsageError}
 */
export async function wholeInput(
  { command }: Verb,
  { input, secrets, common }: Arguments,
  terminal: Terminal,
): Promise<Record<string, unknown>> {
  const read = reader(terminal);
  let whole: Record<string, unknown> = {};
  if (common.file !== undefined) {
    // JSON is YAML, too. No aliases without end: a small file must not become a large input.
    whole = parsed(
      await read(common.file, "--file"),
      "--file",
      (text) => parse(text, { maxAliasCount: 100 }),
    );
  }
  if (common.input !== undefined) {
    const text = common.input === "-" ? await read("-", "--input") : common.input;
    whole = merged(whole, parsed(text, "--input", JSON.parse));
  }
  whole = merged(whole, input);
  for (const { option, file } of secrets) {
    put(whole, option.path, trimmed(await read(file, `--${option.flag}`)));
  }
  for (const { path, required, secret, flag } of optionsOf(command)) {
    const { maxLength } = (command.input as { properties?: Record<string, { maxLength?: number }> })
      .properties?.[path[0]!] ?? {};
    const isAsked = secret && required && whole[path[0]!] === undefined &&
      (maxLength ?? Infinity) <= LONGEST_TYPED;
    if (isAsked && terminal.isTerminal) {
      const words = flag.replaceAll("-", " ");
      whole[path[0]!] = await terminal.secret(`${words[0]!.toUpperCase()}${words.slice(1)}: `);
    }
  }
  return whole;
}
