import { define } from "../lib/page_state.ts";
import { fail } from "./(_shared)/fail.ts";

/** Ends the session. */
export const handler = define.handlers({
  async POST({ state, redirect }) {
    await state.api.signOut().catch(fail);
    return redirect("/sign-in", 303);
  },
});
