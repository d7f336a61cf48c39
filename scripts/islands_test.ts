/** What browsers load: the bundles of the islands as they are. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { bundleIslands, PAGE_LIMITS } from "./islands.ts";
import { PROJECT } from "./project.ts";

/** Largest share of the script of all pages, compressed, that one page loads. */
const SHARE_OF_ALL = 0.3;
/** What all pages load on average: files, and the share of code that a page does not use. */
const AVERAGE = { files: 3, unused: 0.13 } as const;

const compressedSize = async (address: string) =>
  gzipSync(await Deno.readFile(join(PROJECT, "dist/static", address))).length;

Deno.test("bundleIslands() has pages load few files, 60 KB at most, and little that they do not use", async () => {
  const loads = (await bundleIslands(PROJECT)).pages;
  const sizes = new Map<string, number>();
  for (const file of new Set(loads.flatMap(({ files }) => files))) {
    sizes.set(file, await compressedSize(file));
  }
  const bytesOf = (files: Iterable<string>) => [...files].reduce((sum, file) => sum + sizes.get(file)!, 0);
  const pages = loads.map(({ route, files, unused }) => ({
    ...{ route, unused, files: files.length, bytes: bytesOf(files) },
  }));
  assert.ok(pages.length > 70 && sizes.size > 20, "it weighs something else");
  const bytes = Math.min(PAGE_LIMITS.bytes, SHARE_OF_ALL * bytesOf(sizes.keys()));
  const tooMuch = pages.filter((page) =>
    page.files > PAGE_LIMITS.files || page.bytes > bytes || page.unused > PAGE_LIMITS.unused
  );
  assert.deepEqual(tooMuch, []);
  const average = (of: "files" | "unused") => pages.reduce((sum, page) => sum + page[of], 0) / pages.length;
  assert.ok(average("files") <= AVERAGE.files, `${average("files")} files a page`);
  assert.ok(average("unused") <= AVERAGE.unused, `${average("unused")} of a page's code is not used`);
});
