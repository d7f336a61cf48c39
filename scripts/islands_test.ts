/** Tests of the bundles that browsers load. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fillTables, type NamedTables } from "../lib/fresh/server/island_texts.ts";
import { SOURCE_LOCALE } from "../lib/i18n/languages.ts";
import { catalogs } from "./texts/translations.ts";
import { sentSizes } from "./island_sizes.ts";
import { bundleIslands, bytesOf, mostBytes, PAGE_LIMITS, type PageLoad } from "./islands.ts";
import { PROJECT } from "./project.ts";

/** Largest share of the script of all pages, compressed, that one page loads. */
const SHARE_OF_ALL = 0.3;
/** Averages over all pages: files, and the share of code that a page does not use. */
const AVERAGE = { files: 3, unused: 0.13 } as const;

Deno.test("bundleIslands() has pages load few files, 60 KB at most, and little that they do not use", async () => {
  const { pages: loads, index } = await bundleIslands(PROJECT);
  const files = new Set(loads.flatMap((load) => load.files));
  for (const language of [[SOURCE_LOCALE, {}], ...await catalogs()] as const) {
    judge(loads, await sentSizes(PROJECT, index, files, language), language[0]);
  }
});

Deno.test("bundleIslands() keeps the texts of pages in one language", async () => {
  const { index: { texts } } = await bundleIslands(PROJECT);
  const kept = join(PROJECT, "dist", texts!.folder), file = texts!.files[0]!;
  const template = await Deno.readTextFile(join(kept, file));
  const tables = JSON.parse(await Deno.readTextFile(join(kept, "tables.json"))) as NamedTables;
  const filled = fillTables(template, tables, (key) => `«${key}»`, "ja");
  const [noun] = [...template.matchAll(/__TEXTS_(\w+?)__/g)].map(([, noun]) => noun!);
  const english = Object.values(tables.tables[noun!]!).filter((text) => text.length > 12);
  assert.ok(english.length > 0);
  assert.deepEqual(english.filter((text) => filled.includes(JSON.stringify(text))), []);
});

function judge(loads: readonly PageLoad[], sizes: ReadonlyMap<string, number>, language: string): void {
  const pages = loads.map(({ route, files, unused }) => ({
    route,
    unused,
    files: files.length,
    bytes: bytesOf(files, sizes),
  }));
  assert.ok(pages.length > 70 && sizes.size > 20, "it weighs something else");
  const bytes = Math.min(mostBytes(language), SHARE_OF_ALL * bytesOf(sizes.keys(), sizes));
  const tooMuch = pages.filter((page) =>
    page.files > PAGE_LIMITS.files || page.bytes > bytes || page.unused > PAGE_LIMITS.unused
  );
  assert.deepEqual(tooMuch, [], language);
  const average = (of: "files" | "unused") => pages.reduce((sum, page) => sum + page[of], 0) / pages.length;
  assert.ok(average("files") <= AVERAGE.files, `${average("files")} files a page`);
  assert.ok(average("unused") <= AVERAGE.unused, `${average("unused")} of a page's code is not used`);
}
