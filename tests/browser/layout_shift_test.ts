/** Checks that pages do not shift: nothing moves while they load and are hydrated, wide and on a phone. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { browser, hydrated } from "../testbed/chromium.ts";
import { demoPages } from "../testbed/demo_pages.ts";
import { startServer } from "../testbed/server.ts";
import { PHONE } from "./visit.ts";

/** Layout shift of a page that must not be reached. Source: web.dev/articles/cls has 0.1 as good. */
const MOST_SHIFT = 0.01;
/** How long a page is watched, in milliseconds: connections of consoles, first figures, pictures and fonts are there then. */
const WATCHED_MS = 3000;
const WIDE = { viewport: { width: 1440, height: 900 } };

/** A shift as Layout Instability (WICG) has it. */
interface LayoutShift extends PerformanceEntry {
  readonly value: number;
  readonly hadRecentInput: boolean;
  readonly sources: readonly { readonly node: Node | null }[];
}

/** The shifts since the page was opened: how much, and which elements moved. */
const shiftsOf = (page: Page) =>
  page.evaluate(() =>
    new Promise<{ value: number; moved: string[] }[]>((resolve) => {
      new PerformanceObserver((list, observer) => {
        observer.disconnect();
        resolve(
          (list.getEntries() as LayoutShift[]).filter(({ hadRecentInput }) => !hadRecentInput)
            .map(({ value, sources }) => ({
              value,
              moved: sources.map(({ node }) => {
                const element = node instanceof Element ? node : node?.parentElement;
                return `${element?.localName}.${element?.className}`;
              }),
            })),
        );
      }).observe({ type: "layout-shift", buffered: true });
      setTimeout(() => resolve([]), 500); // without any, nothing is told
    })
  );

Deno.test("nothing moves on a page of the demo, wide and on a phone", async () => {
  await using server = await startServer({ demo: true });
  await using tester = await browser();
  const sizes = { wide: await tester.page(WIDE), phone: await tester.page({ ...PHONE, isMobile: true }) };
  const found: string[] = [];
  const look = async (size: string, page: Page, path: string) => {
    await page.goto(`${server.url}${path}`);
    await hydrated(page);
    await page.waitForTimeout(WATCHED_MS);
    const shifts = await shiftsOf(page);
    const sum = shifts.reduce((total, { value }) => total + value, 0);
    if (sum < MOST_SHIFT) return;
    const most = shifts.reduce((one, other) => other.value > one.value ? other : one);
    found.push(`${path} (${size}): ${sum.toFixed(4)}, most by ${most.moved.join(", ")}`);
  };
  // Fonts are asked for once in a browser's life
  for (const page of Object.values(sizes)) await page.goto(`${server.url}/help`);
  const paths = await demoPages(server), half = Math.floor(paths.length / 2);
  for (const [at, path] of paths.entries()) {
    // Never both at one page: a serial line is used by one alone, and says so at length
    const other = paths[(at + half) % paths.length]!;
    await Promise.all([look("wide", sizes.wide, path), look("phone", sizes.phone, other)]);
  }
  assert.deepEqual(found, []);
});

Deno.test("what moves is measured", async () => {
  await using tester = await browser();
  const page = await tester.page(WIDE);
  await page.setContent('<div id="above"></div><main style="height: 600px">below</main>');
  await page.waitForTimeout(500);
  await page.evaluate(() => document.querySelector<HTMLElement>("#above")!.style.height = "300px");
  await page.waitForTimeout(500);
  const shifts = await shiftsOf(page);
  assert.ok(shifts.some(({ value }) => value > MOST_SHIFT), JSON.stringify(shifts));
});
