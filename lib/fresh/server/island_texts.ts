/**
 * The islands' files in the language of a page: `/_fresh/{build}/de/{file}` is `/_fresh/{build}/{file}` with German texts. The
 * bundle has one file for all languages, in which tables of texts are free names; they are filled in when a browser asks,
 * which then keeps the file.
 */
import type { Assets, IslandIndex } from "./assets.ts";

/** Texts by their keys. */
export type TextTable = Readonly<Record<string, string>>;

/** Tables of texts by their nouns. */
export type TextTables = Readonly<Record<string, TextTable>>;

/** Tables, and the short names that keys have in the bundle: they are no small part of it. */
export interface NamedTables {
  readonly tables: TextTables;
  /** Key, of a count without its form, → name. Other keys stand for themselves. */
  readonly names: Readonly<Record<string, string>>;
}

/** The translation of a text by its key; undefined where there is none. */
export type Translate = (key: string) => string | undefined;

/** Reads the texts of a language. @returns undefined for a language that there are no texts in */
export type TextSource = (language: string) => Promise<Translate | undefined>;

const NAME = /__TEXTS_(\w+?)__/g;

/** The free name that stands for a table. */
export const nameOfTable = (noun: string): string => `__TEXTS_${noun}__`;

/** A table in a language; English where a text is missing. Plural forms are those of the language. */
function tableIn(
  table: TextTable,
  translate: Translate,
  forms: ReadonlySet<string>,
): Record<string, string> {
  const entries = Object.entries(table).flatMap(([key, english]): [string, string][] => {
    const [, base, form] = /^(.+)\.(one|other)$/.exec(key) ?? [];
    if (base === undefined || form === undefined || !(`${base}.other` in table)) {
      return [[key, translate(key) ?? english]];
    }
    // All forms of a count stand where its last one does
    if (form !== "other") return [];
    return [...forms].flatMap((each): [string, string][] => {
      const text = translate(`${base}.${each}`) ??
        (translate(key) === undefined ? table[`${base}.${each}`] : undefined);
      return text === undefined ? [] : [[`${base}.${each}`, text]];
    });
  });
  return Object.fromEntries(entries);
}

const FORM = /(?:\.(?:zero|one|two|few|many|other))?$/;

/** The name of a key in the bundle. */
function nameOf(key: string, names: NamedTables["names"]): string {
  const base = key.replace(FORM, "");
  return Object.hasOwn(names, base) ? names[base] + key.slice(base.length) : names[key] ?? key;
}

/** A bundled file with its tables filled in. */
export function fillTables(
  template: string,
  { tables, names }: NamedTables,
  translate: Translate,
  language: string,
): string {
  const forms = new Set(new Intl.PluralRules(language).resolvedOptions().pluralCategories as string[]).add(
    "other",
  );
  return template.replace(NAME, (name, noun: string) => {
    const table = tables[noun];
    if (table === undefined) throw new Error(`there are no texts for ${name}`);
    const texts = Object.entries(tableIn(table, translate, forms));
    return `(${JSON.stringify(Object.fromEntries(texts.map(([key, text]) => [nameOf(key, names), text])))})`;
  });
}

/** The addresses of islands for pages in a language. */
export function islandsIn<T extends Assets>(assets: T, language: string, source: string): T {
  if (language === source || assets.texts === undefined) return assets;
  const address = (path: string) => path.replace(/[^/]+$/, (file) => `${language}/${file}`);
  const islands: IslandIndex["islands"] = Object.fromEntries(
    Object.entries(assets.islands).map(([name, { entry, imports }]) => [
      name,
      { entry: address(entry), imports: imports.map(address) },
    ]),
  );
  return { ...assets, boot: address(assets.boot), islands };
}

/** The file and the language that an address's names are of; null for any other file. */
export function translatedFile(
  names: readonly string[],
): { language: string; file: string; build: string } | null {
  const [folder, build = "", language = "", file = ""] = names;
  return folder === "_fresh" && names.length === 4 && file.endsWith(".js") ? { build, language, file } : null;
}

/** A file in a language. @returns null where the same file is for all of them */
export async function readTranslated(
  { texts }: Assets,
  { file, language }: { readonly file: string; readonly language: string },
  translate: Translate,
): Promise<Uint8Array<ArrayBuffer> | null> {
  if (texts === undefined || !texts.files.includes(file)) return null;
  const [template, tables] = await Promise.all([
    Deno.readTextFile(`${texts.folder}/${file}`),
    Deno.readTextFile(`${texts.folder}/tables.json`),
  ]);
  return new TextEncoder().encode(
    fillTables(template, JSON.parse(tables) as NamedTables, translate, language),
  );
}
