/** Visits to the real product in a real browser, with everything the browser complained about. */
import assert from "node:assert/strict";
import type { BrowserContextOptions, Page } from "playwright-core";
import { checkAccessibility, type TestBrowser, watchPage } from "../testbed/chromium.ts";

/** A phone as narrow as they come. */
export const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 844 }, hasTouch: true };

/**
 * Opens an address, runs `look`, and asserts that the browser had nothing to complain about: no error, no dialog, no
 * breach of the content security policy.
 *
 * @param accessible also asserts that axe-core finds nothing (last: axe itself breaches the policy)
 * @param expected console errors that belong to the visit (a page that answers 404 is told of as one)
 */
export async function visit(
  browser: TestBrowser,
  url: string,
  look: (page: Page) => Promise<void>,
  { expected, accessible = false, ...options }: BrowserContextOptions & {
    expected?: RegExp;
    accessible?: boolean;
  } = {},
): Promise<void> {
  const page = await browser.page(options);
  try {
    const watch = watchPage(page);
    await page.goto(url);
    await look(page);
    assert.deepEqual(watch.all().filter((text) => !expected?.test(text)), []);
    if (accessible) assert.deepEqual(await checkAccessibility(page), []);
  } finally {
    await page.context().close();
  }
}

/** Waits until a page's text has something. */
export async function waitForText(
  page: Page,
  selector: string,
  text: string | RegExp,
  seconds = 15,
): Promise<void> {
  await page.locator(selector).filter({ hasText: text }).first().waitFor({ timeout: seconds * 1000 });
}

/** Whether a page is wider than its window: the one thing that must never be on a phone. */
export function overflows(page: Page): Promise<boolean> {
  return page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
}

/** A page is without violations of axe-core's in both themes, wide and on a phone, and nothing is wider than a phone. */
export async function looksWell(
  t: Deno.TestContext,
  tester: TestBrowser,
  url: string,
  label: string,
): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await t.step(`${label} is accessible, ${colorScheme}, on a phone, too`, async () => {
      const options = { colorScheme, reducedMotion: "reduce", accessible: true } as const;
      await visit(tester, url, async (page) => {
        await page.locator("h1").first().waitFor();
      }, options);
      await visit(tester, url, async (page) => {
        assert.equal(await overflows(page), false);
      }, { ...PHONE, ...options });
    });
  }
}
