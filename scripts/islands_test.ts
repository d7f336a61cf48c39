/** What browsers load: the bundles of the islands as they are. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { bundleIslands } from "./islands.ts";
import { PROJECT } from "./project.ts";

/** Bytes of script that a page may load, gzipped: 60 KB. */
const MOST = 60_000;

Deno.test("bundleIslands() lets no page load more than 60 KB of script", async () => {
  const { boot, islands } = await bundleIslands(PROJECT);
  const sizes = new Map<string, number>();
  const sizeOf = async (address: string) => {
    const known = sizes.get(address);
    if (known !== undefined) return known;
    const size = gzipSync(await Deno.readFile(join(PROJECT, "dist/static", address))).length;
    sizes.set(address, size);
    return size;
  };
  // What every page has, with the island that its page is about.
  const shell = islands.TopTools!;
  const heavy: string[] = [];
  for (const [name, island] of Object.entries(islands)) {
    const files = new Set([boot, ...[shell, island].flatMap(({ entry, imports }) => [entry, ...imports])]);
    let size = 0;
    for (const file of files) size += await sizeOf(file);
    if (size > MOST) heavy.push(`${name}: ${(size / 1000).toFixed(1)} KB`);
  }
  assert.ok(sizes.size > 50, "it weighs something else");
  assert.deepEqual(heavy, []);
});
