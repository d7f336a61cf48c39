/**
 * Draws the icons of the installed app from their SVG files, in Chromium: `static/icons/*.png`.
 *
 *     deno run -A scripts/icons.ts
 */
import { join } from "node:path";
import { ownBrowser } from "../tests/testbed/chromium.ts";
import { PROJECT } from "./project.ts";

/** Name of an icon → the drawing it is made of, below `static/`. */
const DRAWINGS = { any: "favicon.svg", maskable: "icons/maskable.svg" } as const;
/** Pixels of each side that browsers ask for when a page is installed. */
const SIZES = [192, 512] as const;

if (import.meta.main) {
  const folder = join(PROJECT, "static");
  await using tester = await ownBrowser();
  for (const [name, drawing] of Object.entries(DRAWINGS)) {
    const svg = new TextEncoder().encode(await Deno.readTextFile(join(folder, drawing))).toBase64();
    for (const size of SIZES) {
      const context = await tester.newContext({ viewport: { width: size, height: size } });
      const page = await context.newPage();
      await page.setContent(
        `<style>body{margin:0}img{display:block}</style>` +
          `<img width="${size}" height="${size}" src="data:image/svg+xml;base64,${svg}">`,
      );
      await page.locator("img").evaluate((image) => (image as HTMLImageElement).decode());
      const path = join(folder, "icons", `${name}-${size}.png`);
      await page.screenshot({ path, omitBackground: true });
      await context.close();
    }
  }
}
