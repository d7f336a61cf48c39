/** Counts what a person has to click for something. */
import type { Page } from "playwright-core";

/** Clicks of a person, as the browser itself saw them; keys that press a button count as one. */
export async function countClicks(page: Page): Promise<() => string[]> {
  const clicks: string[] = [];
  await page.exposeFunction("tellClick", (what: string) => clicks.push(what));
  await page.addInitScript(() => {
    addEventListener("click", (event) => {
      if (!event.isTrusted) return;
      const target = event.target as Element;
      const pressed = target.closest("button, a, input, select, label, summary") ?? target;
      const { tellClick } = globalThis as unknown as { tellClick: (what: string) => void };
      tellClick((pressed.textContent || pressed.getAttribute("name") || pressed.tagName).trim().slice(0, 60));
    }, { capture: true });
  });
  return () => clicks;
}
