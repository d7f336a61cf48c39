/**
 * A browser for tests: Debian's chromium without the window around the page, which takes half the processor time of one
 * with it, driven by playwright-core.
 */
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
import { spend } from "./times.ts";

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
  // Letters are drawn alike everywhere: pictures are compared.
  "--font-render-hinting=none",
  "--disable-lcd-text",
] as const;

/** A headless browser. Disposing of it closes the contexts that were made by it. */
export interface TestBrowser extends AsyncDisposable {
  /** A page, signed in at every server of the testbed, in a context (cookies, storage) of its own. */
  page(options?: BrowserContextOptions): Promise<Page>;
  /** A context that is signed in at every server of the testbed. */
  context(options?: BrowserContextOptions): Promise<BrowserContext>;
  /** A context of somebody who was never there. */
  newContext(options?: BrowserContextOptions): Promise<BrowserContext>;
}

/** Milliseconds within which a page does what a test waits for, also on a machine several times slower than ours. */
const PATIENCE_MS = 90_000;

/** Installs the browser when it is missing. @throws {Unavailable} when that is not possible here */
export async function ensureChromium(): Promise<void> {
  if (!await exists("/usr/bin/chromium-headless-shell") || !await exists("/usr/bin/bwrap")) {
    await ensurePackages("chromium-headless-shell", "bubblewrap");
  }
}

/** The one chromium of this file's tests. */
let launched: Promise<Browser> | undefined;

Deno.test.afterAll(async () => await (await launched)?.close());

async function launch(): Promise<Browser> {
  await ensureChromium();
  const started = await spend(
    "browser",
    () => chromium.launch({ executablePath: EXECUTABLE, args: [...FLAGS] }),
  );
  started.once("disconnected", () => launched = undefined);
  return started;
}

/** Contexts of the browser that this file's tests share. */
export async function browser(): Promise<TestBrowser> {
  return contextsOf(await (launched ??= launch()), new AsyncDisposableStack());
}

/** A browser of its own, for programs that are no tests; disposing of it ends it. */
export async function ownBrowser(): Promise<TestBrowser> {
  const own = await launch(), made = new AsyncDisposableStack();
  made.defer(() => own.close());
  return contextsOf(own, made);
}

function contextsOf(shared: Browser, made: AsyncDisposableStack): TestBrowser {
  const newContext = async (options?: BrowserContextOptions) => {
    // Transitions are painted by the processor: a tenth of what a browser takes
    const context = await shared.newContext({ reducedMotion: "reduce", ...options });
    made.defer(() => context.close());
    return context;
  };
  const context = async (options?: BrowserContextOptions) => {
    const signedIn = await newContext(options);
    signedIn.setDefaultTimeout(PATIENCE_MS);
    await signedIn.addCookies(await testerCookies());
    return signedIn;
  };
  const page = async (options?: BrowserContextOptions) => {
    const opened = await (await context(options)).newPage();
    if (options?.javaScriptEnabled !== false) await whenHydrated(opened);
    return opened;
  };
  return { context, newContext, page, [Symbol.asyncDispose]: () => made.disposeAsync() };
}

/** Islands that have not taken over yet: their buttons do nothing. */
const waiting = (page: Page) => page.locator("fresh-island:not([data-hydrated])");

/** Lets every action on an element wait until the islands of its page have taken over. */
async function whenHydrated(page: Page): Promise<void> {
  await page.addLocatorHandler(waiting(page).first(), () => Promise.resolve()); // then it waits until none is seen
}

/** Waits until the islands of a page have taken over: for keys, and whatever else is no action on an element. */
export async function hydrated(page: Page): Promise<void> {
  await waiting(page).first().waitFor({ state: "detached" });
}
