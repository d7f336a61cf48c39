import assert from "node:assert/strict";
import { themeColourMedia } from "./preferences.ts";
import { THEME_COLOURS } from "./theme_colour.ts";

const STATIC = new URL("../../static/", import.meta.url);

Deno.test("the browser's bars have the colour of the top bar in both themes, and so has the manifest", async () => {
  const tokens = await Deno.readTextFile(new URL("styles/tokens.css", STATIC));
  const { light, dark } = THEME_COLOURS;
  assert.ok(tokens.includes(`--surface: light-dark(${light}, ${dark});`));
  const manifest = JSON.parse(await Deno.readTextFile(new URL("app.webmanifest", STATIC)));
  assert.equal(manifest.theme_color, light);
  assert.ok(tokens.includes(`--ground: light-dark(${manifest.background_color}, `));
});

Deno.test("a chosen theme counts whatever the device prefers", () => {
  const media = (["system", "light", "dark"] as const).map((chosen) =>
    ["light", "dark"].map((scheme) => themeColourMedia(chosen, scheme))
  );
  assert.deepEqual(media, [
    ["(prefers-color-scheme: light)", "(prefers-color-scheme: dark)"],
    ["all", "not all"],
    ["not all", "all"],
  ]);
});

/** Width and height in the header of a PNG file. */
function sizeOf(png: Uint8Array<ArrayBuffer>): string {
  assert.equal(new TextDecoder("latin1").decode(png.subarray(1, 4)), "PNG");
  const header = new DataView(png.buffer, png.byteOffset);
  return `${header.getUint32(16)}x${header.getUint32(20)}`;
}

Deno.test("the manifest's icons are there in the sizes it says, also as maskable ones", async () => {
  const { icons } = JSON.parse(await Deno.readTextFile(new URL("app.webmanifest", STATIC))) as {
    icons: { src: string; sizes: string; type: string; purpose: string }[];
  };
  for (const { src, sizes, type } of icons) {
    const file = await Deno.readFile(new URL(src, STATIC));
    if (type === "image/png") assert.equal(sizeOf(file), sizes, src);
    else assert.match(new TextDecoder().decode(file), /^<svg /, src);
  }
  for (const purpose of ["any", "maskable"]) {
    const sizes = icons.filter((icon) => icon.purpose === purpose).map((icon) => icon.sizes);
    assert.deepEqual(sizes, ["any", "192x192", "512x512"], purpose);
  }
});
