import { HttpError } from "fresh";
import { ACTIONS, isActionName, perform } from "../../../lib/format/actions.ts";
import { parseTags } from "../../../lib/format/tags.ts";
import { t } from "../../../lib/i18n/mod.ts";
import { define, type PageState } from "../../../lib/page_state.ts";
import { fail } from "../../(_shared)/fail.ts";

/** Changes that a form makes, other than actions. */
const CHANGES: Readonly<
  Record<string, (api: PageState["api"], vmId: string, form: FormData) => Promise<unknown>>
> = {
  set_tags: (api, vmId, form) => api.setTags({ vmId, tags: parseTags(String(form.get("tags") ?? "")) }),
  set_group: (api, vmId, form) => api.setGroup({ vmId, group: String(form.get("group") ?? "").trim() }),
  set_autostart: (api, vmId, form) => api.setAutostart({ vmId, autostart: form.get("autostart") === "true" }),
};

/** What the forms of a machine's pages ask for, where there is no script to ask instead. */
export const handler = define.handlers({
  async POST(ctx) {
    const vmId = ctx.params.id ?? "";
    const { api } = ctx.state;
    const form = await ctx.req.formData();
    const action = String(form.get("action") ?? "");
    const here = `/vms/${encodeURIComponent(vmId)}`;
    if (isActionName(action)) {
      if (ACTIONS[action].danger && form.get("confirmed") !== "yes") {
        return ctx.redirect(`${here}/confirm?action=${action}`, 303);
      }
      await perform(api, action, vmId, { disks: form.getAll("disk").map(String) }).catch(fail);
    } else {
      const change = Object.hasOwn(CHANGES, action) ? CHANGES[action] : undefined;
      if (change === undefined) throw new HttpError(400, t("error.form"));
      await change(api, vmId, form).catch(fail);
    }
    return ctx.redirect(`${action === "delete" ? "/vms" : here}?done=${action}`, 303);
  },
});
