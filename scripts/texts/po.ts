/** Translations as gettext's PO files, for translators' programs. `msgctxt` is `noun/key`, `msgid` the English text. */
import { po } from "gettext-parser";
import { isLanguageTag } from "../../lib/i18n/languages.ts";
import type { TextTable, TextTables } from "../../lib/fresh/server/island_texts.ts";
import { englishOf, wantedKeys } from "./problems.ts";

/** Comment on a text for its translators. */
const commentOf = (noun: string, key: string, text: string): string =>
  [
    `${noun}.json: ${key}`,
    ...[...text.matchAll(/\{\w+\}/g)].length > 0 ? ["Places in braces stay as they are."] : [],
  ].join("\n");

/** A PO file of a language: all texts, with the translations that there are. */
export function toPo(english: TextTables, translations: TextTables, language: string): string {
  const contexts: Record<string, Record<string, ReturnType<typeof entry>>> = {};
  const entry = (noun: string, key: string, msgid: string) => ({
    msgctxt: `${noun}/${key}`,
    msgid,
    msgstr: [translations[noun]?.[key] ?? ""],
    comments: { extracted: commentOf(noun, key, msgid) },
  });
  for (const [noun, table] of Object.entries(english)) {
    for (const key of wantedKeys(noun, table, language)) {
      const msgid = englishOf(key, table);
      if (msgid !== undefined && msgid !== "") {
        contexts[`${noun}/${key}`] = { [msgid]: entry(noun, key, msgid) };
      }
    }
  }
  const headers = {
    "Project-Id-Version": "KVM Manager",
    Language: language,
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Transfer-Encoding": "8bit",
  };
  return po.compile({ charset: "utf-8", headers, translations: contexts }, { foldLength: 0 }).toString(
    "utf8",
  );
}

/**
 * The translations of a PO file. Those without a text, and those marked as fuzzy, are left out.
 *
 * @throws {Error} for a file that names no language, or a text that there is not, or was another in English
 */
export function fromPo(
  text: string | Uint8Array,
  english: TextTables,
): { language: string; tables: TextTables } {
  const { headers, translations } = po.parse(
    typeof text === "string" ? text : new TextDecoder().decode(text),
  );
  const language = Object.entries(headers).find(([name]) => name.toLowerCase() === "language")?.[1] ?? "";
  if (!isLanguageTag(language)) {
    throw new Error("the file does not say its language. Give it the header Language");
  }
  const tables: Record<string, Record<string, string>> = {};
  for (const [context, entries] of Object.entries(translations)) {
    if (context === "") continue; // the header
    const at = context.indexOf("/"), noun = context.slice(0, at), key = context.slice(at + 1);
    const table: TextTable = Object.hasOwn(english, noun) ? english[noun]! : {},
      source = englishOf(key, table);
    for (const { msgid, msgstr: [said = ""], comments } of Object.values(entries)) {
      if (source === undefined) throw new Error(`there is no text ${context}`);
      if (msgid !== source) throw new Error(`the text ${context} is another in English now: ${source}`);
      if (said === "" || comments?.flag?.includes("fuzzy")) continue;
      (tables[noun] ??= {})[key] = said;
    }
  }
  const ordered = Object.keys(english).filter((noun) => noun in tables).map((noun) => {
    const table = tables[noun]!, keys = wantedKeys(noun, english[noun]!, language);
    return [
      noun,
      Object.fromEntries(keys.filter((key) => key in table).map((key) => [key, table[key]!])),
    ] as const;
  });
  return { language, tables: Object.fromEntries(ordered) };
}
