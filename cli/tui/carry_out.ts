/** A form's words carried out as the command line would: the same reading, the same look-ups, the same errors. */
import { isRow } from "../verb/cells.ts";
import { download, fileIn, upload, writeFile } from "../verb/content.ts";
import type { Verb } from "../verb/find.ts";
import { growSize, reader, refuseMissing, wholeInput } from "../verb/input.ts";
import { put, readArguments } from "../verb/options.ts";
import { formatAnswer } from "../verb/output.ts";
import { resolveIds, Resources } from "../verb/resolve_ids.ts";
import { onlyWarnings } from "../verb/answer.ts";
import { UsageError } from "../verb/values.ts";
import { lostBy } from "../../lib/text/lost_by.ts";
import type { Server } from "../connect/server.ts";
import type { Terminal } from "../terminal.ts";
import { tui } from "../../lib/i18n/en/tui.ts";
import { textsOf } from "../../lib/i18n/mod.ts";

const { t } = textsOf(tui);

/** There is no standard input here, and nothing is shown below what is drawn. */
const NO_TERMINAL: Terminal = {
  isTerminal: false,
  hasColours: false,
  showsProgress: false,
  ask: () => null,
  secret: () => Promise.reject(new UsageError("there is no standard input here")),
  input: () =>
    Promise.reject(new UsageError("there is no standard input here: give it in a field, or a file")),
  until: new AbortController().signal,
  show: () => {},
};

/** A command that is ready to be carried out. */
export interface Prepared {
  /** Description of the loss it causes; undefined if there is none. */
  readonly lost: string | undefined;
  /** Carries it out. @returns the answer as lines of text; empty where there is none @throws {ApiError | UsageError} */
  readonly run: () => Promise<string>;
}

/**
 * Reads what was filled in, and looks names up.
 *
 * @param words as {@link wordsOf} makes them
 * @param secrets where each belongs in the input, and its text
 * @throws {UsageError | ApiError}
 */
export async function prepare(
  server: Server,
  verb: Verb,
  words: readonly string[],
  secrets: readonly (readonly [path: readonly string[], text: string])[],
): Promise<Prepared> {
  const given = readArguments(verb, words), read = reader(NO_TERMINAL);
  const whole = await wholeInput(verb, given, NO_TERMINAL, read);
  for (const [path, text] of secrets) put(whole.input, path, text);
  await verb.extras.expand?.(whole.input, whole.given, { server, read });
  const resources = new Resources(server, whole.input.host, verb.command.namedAs);
  const field = given.each &&
    verb.command.places?.map((place) => /^<(\w+)\.\.\.>$/.exec(place)?.[1]).find(Boolean);
  refuseMissing(verb, field === undefined ? whole.input : { ...whole.input, [field]: given.each });
  const ids = field === undefined
    ? [undefined]
    : [...new Set((await Promise.all(given.each!.map((each) => resources.ids(field, each)))).flat())];
  const inputs = await Promise.all(ids.map(async (id) => {
    const input = await resolveIds(
      server,
      { ...whole.input, ...(id !== undefined && { [field!]: id }) },
      resources,
    );
    await growSize(verb, input, server);
    return input;
  }));
  const lost = lostBy(verb.command, (name) => inputs.some((input) => input[name] === true));
  return {
    lost,
    run: async () => {
      const texts: string[] = [];
      for (const input of inputs) texts.push(await carryOut(server, verb, input, given.common));
      return texts.filter((text) => text !== "").join("\n\n");
    },
  };
}

async function carryOut(
  server: Server,
  { name, command }: Verb,
  input: Record<string, unknown>,
  { out, from }: { readonly out?: string; readonly from?: string },
): Promise<string> {
  if (command.content === "download") {
    await download(server, command, input, { to: fileOnly(out), overwrite: false }, NO_TERMINAL);
    return t("tui.said.written", { file: out! });
  }
  if (command.content === "upload") {
    return await textOf(await upload(server, command, input, fileOnly(from), NO_TERMINAL), command);
  }
  const answer = await server.call(name, input);
  if (command.file !== undefined && out !== undefined) {
    await writeFile(fileIn(answer, command.file), fileOnly(out), false);
    return t("tui.said.written", { file: out! });
  }
  return await textOf(answer, command);
}

/** Standard input and output are the UI's own. @throws {UsageError} */
function fileOnly(file: string | undefined): string {
  if (file !== undefined && file !== "-") return file;
  throw new UsageError("name a file of this machine");
}

async function textOf(answer: unknown, command: Verb["command"]): Promise<string> {
  if (answer === null) return "";
  const warnings = onlyWarnings(answer);
  if (warnings !== undefined) return warnings.join("\n");
  if (command.file !== undefined && isRow(answer) && command.file.base64) {
    throw new UsageError("the answer is a file: say in the field out where it is written to");
  }
  const text = await formatAnswer(answer, "table", command);
  return text === "" ? t("tui.none.rows") : text;
}
