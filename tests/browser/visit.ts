/** Visits to the real product in a real browser, with everything the browser complained about. */
import assert from "node:assert/strict";
import { messageOf } from "../../lib/text/message.ts";
import type { BrowserContextOptions, Page } from "playwright-core";
import { checkAccessibility, hydrated, type TestBrowser, watchPage } from "../testbed/chromium.ts";
import { PATIENCE } from "../testbed/wait.ts";

/** A phone as narrow as they come. */
export const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 844 }, hasTouch: true };

/** Colour schemes that a system can ask for; a visit begins with the first. */
const THEMES = ["light", "dark"] as const;

/**
 * Opens an address, runs `look`, and asserts that the browser had nothing to complain about: no error, no dialog, no
 * breach of the content security policy.
 *
 * @param accessible also asserts that axe-core finds nothing (last: axe itself breaches the policy), in both themes: with
 * the second switched to where the page stands, which takes a third of the time of another visit
 * @param expected console errors that belong to the visit (a page that answers 404 is told of as one)
 */
export async function visit(
  browser: TestBrowser,
  url: string,
  look: (page: Page) => Promise<void>,
  { expected, accessible = false, ...options }: BrowserContextOptions & {
    expected?: RegExp;
    accessible?: boolean | "in both themes";
  } = {},
): Promise<void> {
  const themes = accessible === "in both themes" ? THEMES : [];
  const page = await browser.page({
    // Colours that fade into each other would be judged half way
    ...(themes.length > 0 ? { colorScheme: themes[0], reducedMotion: "reduce" } : {}),
    ...options,
  });
  const watch = watchPage(page);
  try {
    await page.goto(url);
    if (options.javaScriptEnabled !== false) await hydrated(page);
    await look(page);
    assert.deepEqual(watch.all().filter((text) => !expected?.test(text)), []);
    if (accessible) assert.deepEqual(await checkAccessibility(page), []);
    for (const colorScheme of themes.slice(1)) {
      const isWide = await overflows(page);
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await checkAccessibility(page, { coloursOnly: true }), [], colorScheme);
      assert.equal(await overflows(page), isWide, `${colorScheme}: as wide as in the other theme`);
    }
  } catch (error) {
    const told = [messageOf(error), ...watch.failures, `at ${page.url()}, which showed:`, await shown(page)];
    throw new Error(told.join("\n"), {
      cause: error,
    });
  } finally {
    await page.context().close();
  }
}

/** Text of a page, for the message of a failed test. */
async function shown(page: Page): Promise<string> {
  const text = await page.locator("body").innerText({ timeout: 2000 }).catch(String);
  const short = text.replaceAll(/\n+/g, "\n");
  return short.length <= 4000 ? short : `${short.slice(0, 1500)}\n…\n${short.slice(-2500)}`;
}

/** Waits until a page's text has something. `seconds` are those of an idle machine, see {@link PATIENCE}. */
export async function waitForText(
  page: Page,
  selector: string,
  text: string | RegExp,
  seconds = 15,
): Promise<void> {
  await page.locator(selector).filter({ hasText: text }).first().waitFor({
    timeout: seconds * PATIENCE * 1000,
  });
}

/** Chooses an entry of the menu `⋯` of a thing. */
export async function fromMenu(page: Page, thing: string, entry: string): Promise<void> {
  await page.getByRole("button", { name: `Actions for ${thing}` }).click();
  await page.getByRole("menuitem", { name: entry, exact: true }).click();
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
  await t.step(`${label} is accessible in both themes, on a phone, too`, async () => {
    const accessible = "in both themes";
    await visit(tester, url, (page) => page.locator("h1").first().waitFor(), { accessible });
    await visit(tester, url, async (page) => {
      assert.equal(await overflows(page), false);
    }, { ...PHONE, accessible });
  });
}
