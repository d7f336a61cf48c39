/**
 * Texts in what browsers load. Modules of texts are bundled as free names, `__TEXTS_replication__`; files that have such names
 * are written in English for who reads that, and kept as they are for the server, which fills in another language when it
 * is asked for (`lib/fresh/server/island_texts.ts`).
 */
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { type Plugin } from "rolldown";
import {
  fillTables,
  type NamedTables,
  nameOfTable,
  type TextTable,
  type TextTables,
} from "../lib/fresh/server/island_texts.ts";
import { COMMANDS } from "../lib/contract/mod.ts";
import { isMadeKey } from "../lib/i18n/made_keys.ts";
import { programSources, PROJECT } from "./project.ts";

const FOLDER = join(PROJECT, "lib/i18n");

/** Whether a module is one of texts: its one export is a table of them. */
export const isOfTexts = (id: string): boolean =>
  id === join(FOLDER, "en.ts") || id.startsWith(join(FOLDER, "en/")) && id.endsWith(".ts");

/** A module of texts: its export's name, and its table. */
async function readModule(id: string): Promise<[name: string, table: TextTable]> {
  const exported = Object.entries(
    await import(pathToFileURL(id).href) as Record<string, Record<string, string>>,
  );
  if (exported.length !== 1) throw new Error(`${id} must export its table of texts, and nothing else`);
  return exported[0]!;
}

/** Characters of a module's texts; 0 of any other module. */
export const textLength = (id: string, tables: TextTables): number =>
  isOfTexts(id) ? JSON.stringify(tables[basename(id, ".ts")] ?? {}).length : 0;

/** A key, or what looks like one, in code. */
const LITERAL = /(["'`])([\w-]+(?:\.[\w-]+)+)\1/g;

/** Folders in which the same words mean other objects: permissions, fields. */
const OTHER_WORDS = ["lib/contract", "lib/access"].map((folder) => join(PROJECT, folder));

/** The paths of all fields in a schema, such as `create.pool`: pages name fields by them. */
function fieldPaths(schema: unknown, prefix = ""): string[] {
  const { properties = {}, items } = schema as {
    properties?: Readonly<Record<string, unknown>>;
    items?: unknown;
  };
  const own = Object.entries(properties).flatMap(([name, part]) => [
    prefix + name,
    ...fieldPaths(part, `${prefix}${name}.`),
  ]);
  return items === undefined ? own : [...own, ...fieldPaths(items, prefix)];
}

/** Short names for the keys of tables, but for those that are made of names, or are words of something else. */
export async function shortNames(tables: TextTables): Promise<Record<string, string>> {
  const sources = (await Promise.all(OTHER_WORDS.map(programSources))).flat();
  const others = new Set<string>();
  for (const source of sources) {
    for (const [, , word] of (await Deno.readTextFile(source)).matchAll(LITERAL)) others.add(word!);
  }
  for (const { input, output } of Object.values(COMMANDS)) {
    for (const path of [...fieldPaths(input), ...fieldPaths(output)]) others.add(path);
  }
  const keys = Object.values(tables).flatMap(Object.keys).filter((key) => !isMadeKey(key));
  const bases = new Set(keys.map((key) => key.replace(/\.(one|other)$/, "")));
  const short = [...bases].filter((base) => !others.has(base)).sort();
  return Object.fromEntries(short.map((base, number) => [base, number.toString(36)]));
}

/**
 * The texts of tables that code for the browser has the keys of. The rest is told by the server alone.
 *
 * @param code all that is bundled
 */
export function usedTexts(tables: TextTables, code: string): TextTables {
  const literals = new Set([...code.matchAll(LITERAL)].map(([, , key]) => key!));
  const isUsed = (key: string) =>
    isMadeKey(key) || literals.has(key.replace(/\.(one|other)$/, "")) || literals.has(key);
  return Object.fromEntries(
    Object.entries(tables).map(([noun, table]) => [
      noun,
      Object.fromEntries(Object.entries(table).filter(([key]) => isUsed(key))),
    ]),
  );
}

/** Bundles modules of texts as free names. @param tables gets those that are met */
export const nameTexts = (tables: Record<string, TextTable>): Plugin => ({
  name: "texts",
  async load(id) {
    if (!isOfTexts(id)) return null;
    const [name, table] = await readModule(id), noun = basename(id, ".ts");
    tables[noun] = table;
    return { code: `export const ${name} = ${nameOfTable(noun)};`, moduleType: "js" };
  },
});

/** Characters of a table in the language in which it is longest, as they weigh when they are compressed. */
export function longest(noun: string, tables: TextTables, catalogs: ReadonlyMap<string, TextTable>): number {
  const size = (catalog: TextTable, language: string) =>
    gzipSync(fillTables(nameOfTable(noun), { tables, names: {} }, (key) => catalog[key], language)).length;
  const english = size({}, "en"), sizes = [...catalogs].map(([language, texts]) => size(texts, language));
  return JSON.stringify(tables[noun]).length * Math.max(1, ...sizes.map((each) => each / english));
}

/**
 * Writes the texts into a folder of bundled files.
 *
 * @param kept gets the files that have names of tables, and the tables
 * @returns names of these files
 */
export async function writeTexts(folder: string, kept: string, tables: TextTables): Promise<string[]> {
  await Deno.mkdir(kept, { recursive: true });
  const named: NamedTables = { tables, names: await shortNames(tables) };
  const shortened = (code: string) =>
    code.replace(
      LITERAL,
      (literal, quote: string, key: string) =>
        Object.hasOwn(named.names, key) ? quote + named.names[key] + quote : literal,
    );
  const files: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".js")) continue;
    const path = join(folder, name), template = shortened(await Deno.readTextFile(path));
    const filled = fillTables(template, named, () => undefined, "en");
    await Deno.writeTextFile(path, filled);
    if (filled === template) continue;
    files.push(name);
    await Deno.writeTextFile(join(kept, name), template);
  }
  await Deno.writeTextFile(join(kept, "tables.json"), JSON.stringify(named));
  return files.sort();
}
