/** All English texts that are translated: those with keys by their nouns, and those that are keys themselves. */
import { basename, join } from "node:path";
import { HIDDEN_MESSAGE, HIDDEN_VM } from "../../lib/access/redact.ts";
import { WARNINGS } from "../../lib/contract/create.ts";
import { ERRORS } from "../../lib/contract/errors.ts";
import { COMMANDS } from "../../lib/contract/mod.ts";
import { en } from "../../lib/i18n/en.ts";
import { LISTED_MORE } from "../../lib/i18n/message.ts";
import { programSources, PROJECT } from "../project.ts";
import { templatesIn } from "./templates.ts";

/** Texts by their keys. */
export type Table = Readonly<Record<string, string>>;

/** Name of a file of translations, without `.json` → its English texts. */
export type Tables = Readonly<Record<string, Table>>;

/** Tables in which an English text is its own key. */
export const KEYED_BY_TEXT: ReadonlySet<string> = new Set(["messages", "commands"]);

const byText = (texts: Iterable<string>): Table =>
  Object.fromEntries([...new Set(texts)].map((text) => [text, text]));

/** Texts that messages are made of: of errors and warnings, and in the sources of all that makes messages. */
async function messages(): Promise<Table> {
  const folders = ["lib", "agent", "cli", "routes", "components"].map((name) => join(PROJECT, name));
  const sources = (await Promise.all(folders.map(programSources))).flat();
  const texts = await Promise.all(sources.map((path) => Deno.readTextFile(path)));
  return byText([
    ...Object.values(ERRORS).map(({ text }) => text),
    ...Object.values(WARNINGS),
    ...texts.flatMap(templatesIn),
    ...texts.flatMap((text) => [...text.matchAll(/\$text: "([^"\\]+)"/g)].map(([, said]) => said!)),
    ...[HIDDEN_VM, HIDDEN_MESSAGE, LISTED_MORE],
  ]);
}

/** What commands do, as help and lists say it. */
const commands = (): Table => byText(Object.values(COMMANDS).map(({ summary }) => summary));

/** All of them. */
export async function englishTexts(): Promise<Tables> {
  const folder = join(PROJECT, "lib/i18n/en"), tables: Record<string, Table> = { common: en };
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
  for (const name of names) {
    const exported: Readonly<Record<string, Table>> = await import(join(folder, name));
    tables[basename(name, ".ts")] = Object.assign({}, ...Object.values(exported));
  }
  return { ...tables, messages: await messages(), commands: commands() };
}
