import { define } from "../../lib/page_state.ts";
import { fail } from "../(_shared)/fail.ts";

/** Cancels a job, where there is no script. */
export const handler = define.handlers({
  async POST(ctx) {
    const form = await ctx.req.formData();
    await ctx.state.api.cancelJob({ jobId: String(form.get("jobId") ?? "") }).catch(fail);
    return ctx.redirect("/tasks", 303);
  },
});
