/** Input of a command besides its options: a file, standard input, secrets. */
import { message } from "../../lib/i18n/message.ts";
import { formatBytes } from "../../lib/text/quantity.ts";
import { secretText } from "../../lib/text/secret_text.ts";
import { messageOf } from "../../lib/text/message.ts";
import { parseJson } from "../../lib/text/json.ts";
import type { Server } from "../connect/server.ts";
import type { Terminal } from "../terminal.ts";
import type { Verb } from "./find.ts";
import { type Arguments, optionsOf, put } from "./options.ts";
import { positionalsOf } from "./places.ts";
import type { Given, InputDraft } from "./verb_extras.ts";
import { type FileWords, fileWords } from "./file_words.ts";
import { unreadable } from "../unreadable.ts";
import { usageOf } from "./usage.ts";
import { UsageError, valueOf } from "./values.ts";

/** Longest password that can be typed, in characters. Longer secrets are texts, which are not typed unseen. */
const LONGEST_TYPED = 1024;

/** Reads a file, or standard input for `-`: that once. */
export function reader(terminal: Terminal): (file: string, flag: string) => Promise<string> {
  let taken: string | undefined;
  return async (file, flag) => {
    if (file === "-") {
      if (taken !== undefined) {
        throw new UsageError(message`${taken} and ${flag} cannot both read standard input`);
      }
      taken = flag;
      return await terminal.input();
    }
    try {
      return await Deno.readTextFile(file);
    } catch (error) {
      throw new UsageError(unreadable(flag, file, error));
    }
  };
}

function object(value: unknown, flag: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new UsageError(message`${flag} must hold the fields of the input, as an object`);
}

function parsed(text: string, flag: string, read: (text: string) => unknown): Record<string, unknown> {
  let value: unknown;
  try {
    value = read(text);
  } catch (error) {
    // The YAML library shows the place below what it says, in several lines.
    const [what] = messageOf(error).split("\n");
    throw new UsageError(message`${flag} cannot be understood: ${what!.replace(/:$/, "")}`);
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

/** The fields of a file. JSON is YAML, too, and needs no library. */
async function fileFields(text: string): Promise<Record<string, unknown>> {
  if (/^\s*\{/.test(text)) {
    try {
      return object(parseJson(text), "--file");
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error; // YAML may begin like it
    }
  }
  const { parse } = await import("./yaml.ts");
  // No aliases without end: a small file must not become a large input.
  return parsed(text, "--file", (yaml) => parse(yaml, { maxAliasCount: 100 }));
}

/**
 * The whole input. Options win over `--input`, that over `--file`; a secret that is needed and missing is asked for.
 *
 * @throws {UsageError}
 */
export async function wholeInput(
  verb: Verb,
  { input, secrets, common, given }: Arguments,
  terminal: Terminal,
  read: ReturnType<typeof reader>,
): Promise<FileWords> {
  let whole: InputDraft = {}, words: Given = {};
  const lay = (fields: Record<string, unknown>, from: string) => {
    const own = fileWords(verb, fields, from);
    whole = merged(whole, own.input);
    words = { ...words, ...own.given };
  };
  if (common.file !== undefined) lay(await fileFields(await read(common.file, "--file")), "--file");
  if (common.input !== undefined) {
    const text = common.input === "-" ? await read("-", "--input") : common.input;
    lay(parsed(text, "--input", parseJson), "--input");
  }
  whole = merged(whole, input);
  for (const { option, file } of secrets) {
    put(whole, option.path, secretText(await read(file, `--${option.flag}`)));
  }
  for (const { path, required, secret, askedWith, flag } of optionsOf(verb)) {
    const { maxLength } = (verb.command.input as { properties?: Record<string, { maxLength?: number }> })
      .properties?.[path[0]!] ?? {};
    const isNeeded = required || askedWith !== undefined && (whole[askedWith] ?? "") !== "";
    const isAsked = secret && isNeeded && whole[path[0]!] === undefined &&
      (maxLength ?? Infinity) <= LONGEST_TYPED;
    if (isAsked && terminal.isTerminal) {
      const words = flag.replaceAll("-", " ");
      whole[path[0]!] = await terminal.secret(`${words[0]!.toUpperCase()}${words.slice(1)}: `);
    }
  }
  return { input: whole, given: { ...words, ...given } };
}

/** Refuses an input without what the command needs: the server would, but knows nothing of places and options. */
export function refuseMissing(verb: Verb, input: InputDraft): void {
  const { required = [] } = verb.command.input as { required?: readonly string[] };
  const missing = required.filter((field) => input[field] === undefined);
  if (missing.length === 0) return;
  const places = new Set(positionalsOf(verb).map(({ field }) => field));
  const options = optionsOf(verb);
  const shown = missing.map((field) => {
    const option = options.find(({ path }) => path.length === 1 && path[0] === field);
    return places.has(field) || !option
      ? `<${field}>`
      : option.secret
      ? `--${option.flag}-file FILE`
      : `--${option.flag}`;
  });
  throw new UsageError(message`missing ${shown.join(", ")}`, usageOf(verb));
}

/** Puts a size that grows (`+2G`) into the input, by what there is now. @throws {UsageError} */
export async function growSize(
  { extras: { growing } }: Verb,
  input: InputDraft,
  server: Server,
): Promise<void> {
  const given = growing && input[growing.field];
  if (growing === undefined || typeof given !== "string" || !given.startsWith("+")) return;
  const { field, now } = growing;
  const unit = field.endsWith("Gb") ? 1024 ** 3 : 1;
  const more = valueOf(field, "size", given.slice(1), `<${field}>`) as number;
  const size = await now(server, input) / unit + more;
  if (!Number.isInteger(size)) {
    throw new UsageError(
      message`it has ${
        formatBytes((size - more) * unit)
      } now: with ${given} that is no whole number of GiB. Say the whole new size, like ${Math.ceil(size)}G`,
    );
  }
  input[field] = size;
}
