/** The program as it is bundled: what a verb that speaks to a server loads. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { bundleMain } from "./server.ts";
import { PROJECT } from "./project.ts";

/** Bytes of JavaScript that a verb may load before it does anything. */
const MOST = 392_000;

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
    assert.ok(size < MOST, `${size} bytes in ${[...texts.keys()].join(", ")}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
