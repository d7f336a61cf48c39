/** Accessibility of a page as axe-core judges it. */
import axe from "axe-core";
import type { Page } from "playwright-core";
import { spend } from "./times.ts";

/** One rule that a page breaks, and where. */
export interface Violation {
  readonly rule: string;
  readonly impact: string;
  readonly help: string;
  /** `selector: what is wrong with it`. */
  readonly places: string[];
}

/** Fields of axe's answer that we read. */
interface AxeAnswer {
  violations: {
    id: string;
    impact?: string | null;
    help: string;
    nodes: { target: unknown[]; failureSummary?: string }[];
  }[];
}

/**
 * Runs axe-core in the page.
 *
 * Its source goes in through the DevTools protocol's `Runtime.evaluate`, which the page's content security policy
 * does not govern: playwright's own `evaluate` of a text uses `eval` in the page, and that a strict policy refuses.
 *
 * @param coloursOnly runs the rules alone that depend on colours: for a page that was judged in another theme just now
 */
export function checkAccessibility(page: Page, { coloursOnly = false } = {}): Promise<Violation[]> {
  return spend("axe", () => violationsOf(page, coloursOnly));
}

/** Waits for transitions: in the middle of a change of themes, texts have colours of both. */
const SETTLED =
  "Promise.allSettled(document.getAnimations().filter((each) => each instanceof CSSTransition).map((each) => each.finished))" +
  ".then(() => undefined)";

/** Rules by which a page can be wrong in one theme alone. */
const OF_COLOURS = ["color-contrast", "link-in-text-block"];

async function violationsOf(page: Page, coloursOnly: boolean): Promise<Violation[]> {
  const session = await page.context().newCDPSession(page);
  const evaluate = (expression: string) =>
    session.send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
      allowUnsafeEvalBlockedByCSP: true,
    });
  try {
    await evaluate(SETTLED);
    // Its source is half of the work
    const { result: { value: isThere } } = await evaluate("typeof axe === 'object'");
    const options = { resultTypes: ["violations"], ...(coloursOnly && { runOnly: OF_COLOURS }) };
    const { result, exceptionDetails } = await evaluate(
      `${isThere === true ? "" : axe.source};\naxe.run(document, ${JSON.stringify(options)})`,
    );
    if (exceptionDetails !== undefined) {
      throw new Error(`axe-core failed: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
    }
    return (result.value as AxeAnswer).violations.map(({ id, impact, help, nodes }) => ({
      rule: id,
      impact: impact ?? "unknown",
      help,
      places: nodes.map(({ target, failureSummary }) => `${target.join(" ")}: ${failureSummary ?? help}`),
    }));
  } finally {
    await session.detach();
  }
}
