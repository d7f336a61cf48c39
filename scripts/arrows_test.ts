/** The house's arrows: which folder may import from which. */
import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";
import { PROJECT } from "./project.ts";

/** Folder → the folders its sources may import from, beside itself. Tests may import from anywhere. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  ffi: ["lib"],
  agent: ["ffi", "lib"],
  components: ["lib", "islands"],
  islands: ["lib", "components"],
  routes: ["agent", "components", "islands", "lib"],
  cli: ["agent", "lib"],
};

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) yield* sources(path);
    else if (/\.tsx?$/.test(name) && !/_test\.tsx?$|^testing\.tsx?$/.test(name)) yield path;
  }
}

/** Relative imports of a source that are code: `deno.json`'s version is none. */
function imports(text: string): string[] {
  return [...text.matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+\.tsx?)"/g)].map((match) => match[1]!);
}

for (const [folder, allowed] of Object.entries(MAY_IMPORT)) {
  Deno.test(`${folder}/ imports from ${["itself", ...allowed].join(", ")} alone`, async () => {
    const wrong: string[] = [];
    let seen = 0;
    for await (const path of sources(join(PROJECT, folder))) {
      for (const target of imports(await Deno.readTextFile(path))) {
        seen++;
        const place = relative(PROJECT, join(dirname(path), target));
        const [top = ""] = place.split("/");
        if (top !== folder && !allowed.includes(top)) wrong.push(`${relative(PROJECT, path)} → ${place}`);
      }
    }
    assert.deepEqual(wrong, []);
    assert.ok(seen > 0, "no import was found: the test looks in the wrong place");
  });
}

Deno.test("C pointers are named below ffi/ alone", async () => {
  for (const folder of Object.keys(MAY_IMPORT).filter((name) => name !== "ffi")) {
    for await (const path of sources(join(PROJECT, folder))) {
      assert.doesNotMatch(await Deno.readTextFile(path), /Deno\.(Unsafe|dlopen|Pointer)/, path);
    }
  }
});
