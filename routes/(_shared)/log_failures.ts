/** A middleware that logs why a page failed: the page itself tells people nothing of it. */
import { HttpError } from "fresh";
import { log } from "../../agent/log.ts";
import { isClientGone } from "./client_gone.ts";
import { define } from "../../lib/page_state.ts";

/** Passes a request on, and logs an unexpected error. An `HttpError` below 500 is an answer. */
export const logFailures = define.middleware(async (ctx) => {
  try {
    return await ctx.next();
  } catch (error) {
    if (isClientGone(error)) return new Response(null, { status: 400 });
    if (!(error instanceof HttpError && error.status < 500)) {
      log.error("a page failed", { error, stack: error instanceof Error ? error.stack : undefined });
    }
    throw error;
  }
});
