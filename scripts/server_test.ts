/** The program as it is bundled: what a verb that speaks to a server loads. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { bundleMain } from "./server.ts";
import { PROJECT } from "./project.ts";

/** Largest share of the program's JavaScript that a verb loads before it does anything. */
const MOST_SHARE = 0.085;

/** Characters of all JavaScript in a folder. */
async function scriptSize(folder: string): Promise<number> {
  let size = 0;
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith(".js")) size += (await Deno.readTextFile(join(folder, name))).length;
  }
  return size;
}

Deno.test("bundleMain() lets a verb begin without the server, FFI, and Node", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    await bundleMain(join(PROJECT, "cli/start.ts"), folder, folder);
    const texts = new Map<string, string>(), left = ["main.js"];
    for (let name = left.pop(); name !== undefined; name = left.pop()) {
      if (texts.has(name)) continue;
      const text = await Deno.readTextFile(join(folder, name));
      texts.set(name, text);
      for (const [, from] of text.matchAll(/\b(?:from|import) ?"(node:[a-z_]+|\.\/[\w-]+\.js)"/g)) {
        assert.ok(!from!.startsWith("node:"), `${name} loads ${from}`);
        left.push(from!.slice(2));
      }
      assert.doesNotMatch(text, /Deno\.dlopen|new Worker\(/, name);
    }
    assert.ok(texts.size > 1, "its parts were found");
    const size = [...texts.values()].reduce((sum, text) => sum + text.length, 0);
    const all = await scriptSize(folder);
    assert.ok(size <= MOST_SHARE * all, `${size} of ${all} characters, in ${[...texts.keys()].join(", ")}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
