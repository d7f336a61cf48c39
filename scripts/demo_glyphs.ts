/**
 * Draws the letters of the demo's screens: JetBrains Mono at 8 × 16 pixels, four bits of grey a pixel.
 *
 *     deno run -A scripts/demo_glyphs.ts
 */
import { deflateRawSync } from "node:zlib";
import { fileURLToPath } from "node:url";
import { ownBrowser } from "../tests/testbed/chromium.ts";

const OUTPUT = fileURLToPath(new URL("../agent/demo/screen/glyphs.ts", import.meta.url));
const FONT = fileURLToPath(new URL("../static/fonts/jetbrains-mono.woff2", import.meta.url));

if (import.meta.main) {
  const font = (await Deno.readFile(FONT)).toBase64();
  await using tester = await ownBrowser();
  const context = await tester.newContext();
  const page = await context.newPage();
  const levels = await page.evaluate(async (source) => {
    const face = new FontFace("screen", `url(data:font/woff2;base64,${source})`);
    document.fonts.add(await face.load());
    const canvas = document.createElement("canvas");
    canvas.width = 8 * 95;
    canvas.height = 16;
    const pen = canvas.getContext("2d")!;
    pen.font = "500 13.3px screen";
    pen.textBaseline = "alphabetic";
    pen.fillStyle = "#fff";
    for (let index = 0; index < 95; index++) pen.fillText(String.fromCharCode(32 + index), index * 8, 12);
    const { data } = pen.getImageData(0, 0, canvas.width, 16);
    const found: number[] = [];
    for (let index = 0; index < 95; index++) {
      for (let y = 0; y < 16; y++) {
        for (let x = 0; x < 8; x++) found.push(data[(y * canvas.width + index * 8 + x) * 4 + 3]! >> 4);
      }
    }
    return found;
  }, font);
  const bytes = Uint8Array.from(
    { length: levels.length / 2 },
    (_, at) => levels[2 * at]! << 4 | levels[2 * at + 1]!,
  );
  const packed = deflateRawSync(bytes, { level: 9 }).toString("base64");
  const lines = packed.match(/.{1,100}/g)!.map((line) => `  "${line}"`).join(" +\n");
  await Deno.writeTextFile(
    OUTPUT,
    "/** Letters 32 to 126 of JetBrains Mono (SIL Open Font License), 8 × 16 pixels of four bits each, deflated. Made by scripts/demo_glyphs.ts. */\n" +
      `export const GLYPHS =\n${lines};\n`,
  );
}
