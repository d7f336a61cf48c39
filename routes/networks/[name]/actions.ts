import { HttpError } from "fresh";
import { networkDeed, networkHref } from "../../../lib/format/networks.ts";
import { nameIn } from "../../../lib/format/path_segment.ts";
import { t } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { fail } from "../../(_shared)/fail.ts";

/** What a form does to a network, where there is no script. */
export const handler = define.handlers({
  async POST(ctx) {
    const form = await ctx.req.formData();
    const action = form.get("action");
    const name = nameIn(ctx.params.name ?? "");
    const deed = networkDeed(action);
    if (!deed) throw new HttpError(400, t("error.form"));
    await deed.run(ctx.state.api, name, form).catch(fail);
    const to = action === "delete" ? "/networks" : networkHref(name);
    return ctx.redirect(`${to}?done=${action}`, 303);
  },
});
