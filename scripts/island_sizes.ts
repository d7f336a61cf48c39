/** How large the bundled islands are as browsers get them: compressed, in one language. */
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import type { IslandIndex } from "../lib/fresh/server/assets.ts";
import { fillTables, type NamedTables, type TextTable } from "../lib/fresh/server/island_texts.ts";

/**
 * Bytes of files, by their addresses, as they are sent to who reads a language.
 *
 * @param app folder of the app, whose islands were bundled
 * @throws {Error} where no file has texts
 */
export async function sentSizes(
  app: string,
  { texts }: IslandIndex,
  addresses: Iterable<string>,
  [language, catalog]: readonly [string, TextTable],
): Promise<Map<string, number>> {
  if (texts === undefined) throw new Error("no file has texts");
  const kept = join(app, "dist", texts.folder);
  const tables = JSON.parse(await Deno.readTextFile(join(kept, "tables.json"))) as NamedTables;
  const sizes = new Map<string, number>();
  for (const address of addresses) {
    const hasTexts = texts.files.includes(basename(address));
    const path = hasTexts ? join(kept, basename(address)) : join(app, "dist/static", address);
    const text = await Deno.readTextFile(path);
    const filled = hasTexts ? fillTables(text, tables, (key) => catalog[key], language) : text;
    sizes.set(address, gzipSync(filled).length);
  }
  return sizes;
}
