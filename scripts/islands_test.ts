/** What browsers load: the bundles of the islands as they are. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { bundleIslands, islandsByPage, PAGE_LIMITS } from "./islands.ts";
import { islandFiles, PROJECT } from "./project.ts";

/** What all pages load on average: files, and bytes of them compressed. More is code that pages do not use. */
const AVERAGE = { files: 3, bytes: 41_800 };

Deno.test("bundleIslands() lets no page load more than 6 files and 62 KB of script", async () => {
  const { boot, islands } = await bundleIslands(PROJECT);
  const sizes = new Map<string, number>();
  const sizeOf = async (address: string) => {
    const known = sizes.get(address);
    if (known !== undefined) return known;
    const size = gzipSync(await Deno.readFile(join(PROJECT, "dist/static", address))).length;
    sizes.set(address, size);
    return size;
  };
  const pages: { path: string; files: number; bytes: number }[] = [];
  for (const [path, names] of await islandsByPage(PROJECT, await islandFiles(PROJECT))) {
    const chunks = [...names].map((name) => islands[name]!);
    const files = new Set([boot, ...chunks.flatMap(({ entry, imports }) => [entry, ...imports])]);
    let bytes = 0;
    for (const file of files) bytes += await sizeOf(file);
    pages.push({ path, files: files.size, bytes });
  }
  assert.ok(pages.length > 70 && sizes.size > 20, "it weighs something else");
  const { files, bytes } = PAGE_LIMITS;
  assert.deepEqual(pages.filter((page) => page.files > files || page.bytes > bytes), []);
  const average = (of: "files" | "bytes") => pages.reduce((sum, page) => sum + page[of], 0) / pages.length;
  assert.ok(average("files") <= AVERAGE.files, `${average("files")} files a page`);
  assert.ok(average("bytes") <= AVERAGE.bytes, `${average("bytes")} bytes a page`);
});
