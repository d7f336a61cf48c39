import assert from "node:assert/strict";
import { join } from "node:path";
import { bundleStyles } from "./styles.ts";

async function withFiles(
  files: Record<string, string>,
  run: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-styles-" });
  try {
    for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(join(folder, name), text);
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("bundleStyles() puts imports in their place and layer", () =>
  withFiles({
    "main.css": '@layer a, b;\n@import url("./x.css") layer(b); /* gone */\np { color: red }',
    "x.css": '@import url("./y.css");\n  q { color: blue }',
    "y.css": "r { margin: 0 }",
  }, async (folder) => {
    assert.equal(
      await bundleStyles(join(folder, "main.css")),
      "@layer a, b;\n@layer b{r { margin: 0 }\nq { color: blue }}\np { color: red }",
    );
  }));

Deno.test("bundleStyles() refuses an import it would leave as a second request", () =>
  withFiles({ "main.css": '@import "x.css";' }, async (folder) => {
    await assert.rejects(bundleStyles(join(folder, "main.css")), /main\.css has an @import of another form/);
  }));
