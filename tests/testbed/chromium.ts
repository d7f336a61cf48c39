/** A browser for tests: Debian's chromium, driven by playwright-core. */
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from "playwright-core";
import { ensurePackages } from "./packages.ts";
import { exists } from "./process.ts";
import { testerCookies } from "./sign_in.ts";

export { checkAccessibility, type Violation } from "./accessibility.ts";
export { type PageWatch, watchPage } from "./page_watch.ts";

const EXECUTABLE = new URL("chromium/without-netlink", import.meta.url).pathname;

/** No sandbox: it does not start as root. The rest keeps chromium from doing anything of its own accord. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
] as const;

/** A running browser that ends when disposed of. */
export interface TestBrowser extends AsyncDisposable {
  readonly browser: Browser;
  /** A page, signed in at every server of the testbed, in a context (cookies, storage) of its own. */
  page(options?: BrowserContextOptions): Promise<Page>;
  context(options?: BrowserContextOptions): Promise<BrowserContext>;
}

/** Installs chromium when it is missing. @throws {Unavailable} when that is not possible here */
export async function ensureChromium(): Promise<void> {
  if (!await exists("/usr/bin/chromium") || !await exists("/usr/bin/bwrap")) {
    await ensurePackages("chromium", "bubblewrap");
  }
}

/** Launches a headless browser. */
export async function browser(): Promise<TestBrowser> {
  await ensureChromium();
  const launched = await chromium.launch({ executablePath: EXECUTABLE, args: [...FLAGS] });
  const context = async (options?: BrowserContextOptions) => {
    const made = await launched.newContext(options);
    await made.addCookies(await testerCookies());
    return made;
  };
  return {
    browser: launched,
    context,
    page: async (options) => await (await context(options)).newPage(),
    [Symbol.asyncDispose]: () => launched.close(),
  };
}
