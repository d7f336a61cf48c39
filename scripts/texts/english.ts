/** All English texts that are translated: those with keys by their nouns, and those that are keys themselves. */
import { basename, join } from "node:path";
import type { TextTable, TextTables } from "../../lib/fresh/server/island_texts.ts";
import { COMMANDS } from "../../lib/contract/mod.ts";
import { en } from "../../lib/i18n/en.ts";
import { PROJECT } from "../project.ts";
import { helpTexts } from "../../cli/verb/help.ts";
import { allMessages } from "./messages.ts";

/** TextTables in which an English text is its own key. */
export const KEYED_BY_TEXT: ReadonlySet<string> = new Set(["messages", "commands", "command_help"]);

const byText = (texts: Iterable<string>): TextTable =>
  Object.fromEntries([...new Set(texts)].map((text) => [text, text]));

/** Texts of commands' summaries, as help and lists show them. */
const commands = (): TextTable => byText(Object.values(COMMANDS).map(({ summary }) => summary));

/** All of them, by the names of the files of their translations, without `.json`. */
export async function englishTexts(): Promise<TextTables> {
  const folder = join(PROJECT, "lib/i18n/en"), tables: Record<string, TextTable> = { common: en };
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
  for (const name of names) {
    const exported: Readonly<Record<string, TextTable>> = await import(join(folder, name));
    tables[basename(name, ".ts")] = Object.assign({}, ...Object.values(exported));
  }
  return {
    ...tables,
    messages: byText(await allMessages()),
    commands: commands(),
    command_help: byText(helpTexts().difference(new Set(Object.keys(commands())))),
  };
}
