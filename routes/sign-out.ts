import { define } from "../lib/page_state.ts";
import { fail } from "./(_shared)/fail.ts";

/** Ends the session. */
export const handler = define.handlers({
  async POST(ctx) {
    await ctx.state.api.signOut().catch(fail);
    return ctx.redirect("/sign-in", 303);
  },
});
