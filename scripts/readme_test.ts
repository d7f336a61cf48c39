/** Holds README's table of documents to what docs/ has. */
import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { PROJECT, walk } from "./project.ts";

Deno.test("README leads to each document of docs/, and to none that is not there", async () => {
  const readme = await Deno.readTextFile(join(PROJECT, "README.md"));
  const named = new Set([...readme.matchAll(/\]\((docs\/[\w-]+\.md)\)/g)].map(([, path]) => path!));
  const files = await walk(join(PROJECT, "docs"));
  const documents = files.map(({ path }) => relative(PROJECT, path)).filter((path) => path.endsWith(".md"));
  assert.deepEqual([...named].sort(), documents.sort());
});
