/** Collects errors of a page, so that a test can assert that there are none. */
import type { Page } from "playwright-core";

/** Everything untoward since {@link watchPage} was called. */
export interface PageWatch {
  /** Errors on the console, without the CSP's. */
  readonly consoleErrors: string[];
  /** Uncaught exceptions. */
  readonly pageErrors: string[];
  /** Violations of the content security policy, which chromium reports on the console. */
  readonly cspViolations: string[];
  /** `alert` and its like, which the product never uses. They are dismissed, or the page would hang. */
  readonly dialogs: string[];
  /** Failed answers of the server (5xx), to explain a failed test. No fault by itself. */
  readonly failures: string[];
  /** All that is untoward, each with its kind; empty when all was well. */
  all(): string[];
}

/** Begins to watch. Call it before the page is loaded. */
export function watchPage(page: Page): PageWatch {
  const seen = {
    consoleErrors: [] as string[],
    pageErrors: [] as string[],
    cspViolations: [] as string[],
    dialogs: [] as string[],
  };
  page.on("console", (message) => {
    const text = `${message.text()} (${message.location().url})`;
    if (/content security policy/i.test(text)) seen.cspViolations.push(text);
    else if (message.type() === "error") seen.consoleErrors.push(text);
  });
  const failures: string[] = [];
  page.on("response", (response) => {
    if (response.status() < 500) return;
    const text = response.text().catch(String); // the page may be gone
    text.then((body) => failures.push(`${response.status()} ${response.url()}: ${body.slice(0, 1000)}`));
  });
  page.on("pageerror", (error) => seen.pageErrors.push(error.stack ?? error.message));
  page.on("dialog", async (dialog) => {
    seen.dialogs.push(`${dialog.type()}: ${dialog.message()}`);
    await dialog.dismiss();
  });
  return {
    ...seen,
    failures,
    all: () => Object.entries(seen).flatMap(([kind, texts]) => texts.map((text) => `${kind}: ${text}`)),
  };
}
