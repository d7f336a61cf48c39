/** All English texts that are translated: those with keys by their nouns, and those that are keys themselves. */
import { basename, join } from "node:path";
import { COMMANDS } from "../../lib/contract/mod.ts";
import { en } from "../../lib/i18n/en.ts";
import { PROJECT } from "../project.ts";
import { allMessages } from "./messages.ts";

/** Texts by their keys. */
export type Table = Readonly<Record<string, string>>;

/** Name of a file of translations, without `.json` → its English texts. */
export type Tables = Readonly<Record<string, Table>>;

/** Tables in which an English text is its own key. */
export const KEYED_BY_TEXT: ReadonlySet<string> = new Set(["messages", "commands"]);

const byText = (texts: Iterable<string>): Table =>
  Object.fromEntries([...new Set(texts)].map((text) => [text, text]));

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
  return { ...tables, messages: byText(await allMessages()), commands: commands() };
}
