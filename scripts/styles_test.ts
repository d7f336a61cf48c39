import assert from "node:assert/strict";
import { join } from "node:path";
import { PROJECT } from "./project.ts";
import { bundleStyles, withBuild } from "./styles.ts";

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

Deno.test("no stylesheet but base.css names the element around an island: Fresh has comments there", async () => {
  const folder = join(PROJECT, "static", "styles"), naming: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if ((await Deno.readTextFile(join(folder, name))).includes("fresh-island")) naming.push(name);
  }
  assert.deepEqual(naming, ["base.css"]);
});

/** Relative luminance of a colour `#rrggbb` (WCAG 2.2). */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Contrast of two colours, 1 to 21 (WCAG 2.2). */
function contrast(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** The colours of a token: light, dark. */
function coloursOf(tokens: string, name: string): [light: string, dark: string] {
  const found = new RegExp(`--${name}: light-dark\\((#[0-9a-f]{6}), (#[0-9a-f]{6})\\)`).exec(tokens);
  assert.ok(found, `tokens.css has no --${name} of two colours`);
  return [found[1]!, found[2]!];
}

Deno.test("tokens.css: borders of controls are at least 3 : 1, dark grounds are told apart", async () => {
  const tokens = await Deno.readTextFile(join(PROJECT, "static", "styles", "tokens.css"));
  const [lightLine, darkLine] = coloursOf(tokens, "line-control");
  for (const name of ["ground", "surface", "raised", "sunken", "hover"]) {
    const [light, dark] = coloursOf(tokens, name);
    assert.ok(contrast(lightLine, light) >= 3, `light, on --${name}: ${contrast(lightLine, light)}`);
    assert.ok(contrast(darkLine, dark) >= 3, `dark, on --${name}: ${contrast(darkLine, dark)}`);
  }
  const darks = ["ground", "surface", "raised"].map((name) => coloursOf(tokens, name)[1]);
  assert.ok(contrast(darks[0]!, darks[1]!) >= 1.08, "a panel on the page");
  assert.ok(contrast(darks[1]!, darks[2]!) >= 1.08, "a dialog over a panel");
});

Deno.test("fonts in a stylesheet are asked for by the build's id", () => {
  assert.equal(
    withBuild('src: url("../fonts/a-b.woff2") format("woff2"); background: url("../x.svg")', "b1"),
    'src: url("../fonts/a-b.woff2?__frsh_c=b1") format("woff2"); background: url("../x.svg")',
  );
});
