/** Pictures of the design page: taken, kept in the repository, compared. */
import { fileURLToPath } from "node:url";
import { inflateSync } from "node:zlib";
import type { CDPSession, Page } from "playwright-core";
import { decodePng } from "../../lib/formats/png/png.ts";
import type { TestBrowser } from "../../tests/testbed/chromium.ts";

/** A picture: a theme at a width. */
export interface DesignPicture {
  readonly theme: "light" | "dark";
  /** Of the window, in pixels. */
  readonly width: number;
}

/** The pictures that are kept. */
export const DESIGN_PICTURES: readonly DesignPicture[] = [
  { theme: "light", width: 1440 },
  { theme: "dark", width: 1440 },
  { theme: "light", width: 390 },
  { theme: "dark", width: 390 },
];

/** Path of a picture that is kept. */
export function keptAt({ theme, width }: DesignPicture): string {
  return fileURLToPath(new URL(`../../tests/browser/design/${theme}-${width}.png`, import.meta.url));
}

/** Puts what says `data-force="hover"` (or another state) into that state, which no script of a page can. */
async function forceStates(cdp: CDPSession): Promise<void> {
  await cdp.send("DOM.enable");
  await cdp.send("CSS.enable");
  const { root } = await cdp.send("DOM.getDocument");
  for (
    const [state, classes] of [["hover", ["hover"]], ["focus-visible", ["focus", "focus-visible"]]] as const
  ) {
    const selector = `[data-force="${state}"]`;
    const { nodeIds } = await cdp.send("DOM.querySelectorAll", { nodeId: root.nodeId, selector });
    for (const nodeId of nodeIds) {
      await cdp.send("CSS.forcePseudoState", { nodeId, forcedPseudoClasses: [...classes] });
    }
  }
}

/** Takes a picture of the whole page. */
export async function takePicture(
  tester: TestBrowser,
  url: string,
  picture: DesignPicture,
): Promise<Uint8Array> {
  const page: Page = await tester.page({
    viewport: { width: picture.width, height: 900 },
    deviceScaleFactor: 1,
    reducedMotion: "reduce",
  });
  try {
    await page.goto(`${url}/${picture.theme}`);
    await forceStates(await page.context().newCDPSession(page));
    await page.evaluate(() => document.fonts.ready.then(() => undefined));
    return await page.screenshot({ fullPage: true, animations: "disabled" });
  } finally {
    await page.context().close();
  }
}

const pixelsOf = (file: Uint8Array) =>
  decodePng(file, (bytes, most) => inflateSync(bytes, { maxOutputLength: most }));

/** Two shades of a colour, 0 to 255, that the eye cannot tell apart: edges of letters differ by this between CPUs. */
const UNSEEN = 32;

/** How much of a picture differs from another: 0 to 1; 1 where they are not of one size. */
export function differingShare(one: Uint8Array, other: Uint8Array): number {
  const [a, b] = [pixelsOf(one), pixelsOf(other)];
  if (a.width !== b.width || a.height !== b.height) return 1;
  const pixels = a.width * a.height;
  const differs = (at: number) => Math.abs(a.rgb[at]! - b.rgb[at]!) > UNSEEN;
  let differing = 0;
  for (let at = 0; at < pixels * 3; at += 3) {
    if (differs(at) || differs(at + 1) || differs(at + 2)) differing++;
  }
  return differing / pixels;
}
