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

/** What we read of axe's answer. */
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
 */
export function checkAccessibility(page: Page): Promise<Violation[]> {
  return spend("axe", () => violationsOf(page));
}

async function violationsOf(page: Page): Promise<Violation[]> {
  const session = await page.context().newCDPSession(page);
  try {
    const { result, exceptionDetails } = await session.send("Runtime.evaluate", {
      expression: `${axe.source};\naxe.run(document, { resultTypes: ["violations"] })`,
      awaitPromise: true,
      returnByValue: true,
      allowUnsafeEvalBlockedByCSP: true,
    });
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
