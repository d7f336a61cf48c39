import { define } from "../../lib/page_state.ts";

/** The settings begin with one's own account. */
export const handler = define.handlers({ GET: (ctx) => ctx.redirect("/settings/account", 302) });
