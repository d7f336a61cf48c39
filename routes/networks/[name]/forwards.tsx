import { HttpError, page } from "fresh";
import { Head } from "fresh/runtime";
import { forwardDeed, forwardName, forwardsHref, forwardTarget } from "../../../lib/format/forwards.ts";
import { networkHref } from "../../../lib/format/networks.ts";
import { nameIn } from "../../../lib/format/path_segment.ts";
import { oneLine } from "../../../lib/format/text.ts";
import { forwards as texts } from "../../../lib/i18n/en/forwards.ts";
import { t, textsOf } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { fail } from "../../(_shared)/fail.ts";

const area = textsOf(texts);

/** Where a network's forwards are shown: on its page, or where those are whose network is gone. */
async function placeOf(name: string, api: { getNetworks(): Promise<{ name: string }[]> }): Promise<string> {
  const networks = await api.getNetworks().catch(fail);
  return networks.some((network) => network.name === name) ? networkHref(name) : "/networks";
}

export const handler = define.handlers({
  async GET({ state: { api }, params, url }) {
    const name = nameIn(params.name ?? "");
    const id = url.searchParams.get("remove");
    const found = await api.listPortForwards({ network: name }).catch(fail);
    const forward = found.find((each) => each.id === id);
    if (!forward) throw new HttpError(404, `Port forward not found: ${id ?? ""}`);
    return page({ forward, place: await placeOf(name, api) });
  },
  /** What a form does to a network's forwards, where there is no script. */
  async POST(ctx) {
    const form = await ctx.req.formData();
    const action = form.get("action");
    const name = nameIn(ctx.params.name ?? "");
    const deed = forwardDeed(action);
    if (!deed) throw new HttpError(400, t("error.form"));
    await deed.run(ctx.state.api, name, form).catch(fail);
    return ctx.redirect(`${await placeOf(name, ctx.state.api)}?forward=${action}`, 303);
  },
});

/** The question before a port forward is removed. */
export default define.page<typeof handler>(function Confirm({ data: { forward, place } }) {
  const title = area.t("forwards.confirm", { what: forwardName(forward) });
  const target = forward.vmName === undefined ? forwardTarget(forward) : oneLine(forward.vmName, 60);
  return (
    <>
      <Head>
        <title>{t("title.page", { page: title })}</title>
      </Head>
      <form class="panel narrow" method="post" action={forwardsHref(forward.network)}>
        <div class="dialog-body">
          <h1>{title}</h1>
          <p>{area.t("forwards.confirm_lost", { target })}</p>
          <input type="hidden" name="id" value={forward.id} />
        </div>
        <footer class="dialog-foot">
          <a class="button" href={place}>{area.t("forwards.cancel")}</a>
          <button type="submit" class="button danger" name="action" value="remove">
            {area.t("forwards.remove")}
          </button>
        </footer>
      </form>
    </>
  );
});
