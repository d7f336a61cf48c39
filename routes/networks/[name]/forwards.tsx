import { HttpError, page } from "fresh";
import { Head } from "fresh/runtime";
import { forwardName, forwardTarget } from "../../../lib/network/forwards/describe.ts";
import { networkHref } from "../../../lib/network/network_href.ts";
import { nameIn } from "../../../lib/text/path_segment.ts";
import { formHref } from "../../../lib/text/form_href.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { forwards as texts } from "../../../lib/i18n/en/forwards.ts";
import { t, textsOf } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { fail } from "../../(_shared)/fail.ts";

const area = textsOf(texts);

/** Page that shows a network's port forwards: its own, or the list of forwards if the network is gone. */
async function placeOf(name: string, api: { getNetworks(): Promise<{ name: string }[]> }): Promise<string> {
  const networks = await api.getNetworks().catch(fail);
  return networks.some((network) => network.name === name) ? networkHref(name) : "/networks";
}

export const handler = define.handlers({
  async GET(ctx) {
    const { state: { api }, params, url } = ctx;
    const name = nameIn(params.name ?? "");
    const id = url.searchParams.get("remove");
    if (id === null) return ctx.redirect(await placeOf(name, api), 303);
    const found = await api.listPortForwards({ network: name }).catch(fail);
    const forward = found.find((each) => each.id === id);
    if (!forward) throw new HttpError(404, `Port forward not found: ${id}`);
    return page({ forward, place: await placeOf(name, api) });
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
      <form
        class="panel narrow"
        method="post"
        action={formHref("remove_port_forward", { id: forward.id }, place)}
      >
        <div class="dialog-body">
          <h1>{title}</h1>
          <p>{area.t("forwards.confirm_lost", { target })}</p>
        </div>
        <footer class="dialog-foot">
          <a class="button" href={place}>{area.t("forwards.cancel")}</a>
          <button type="submit" class="button danger">
            {area.t("forwards.remove")}
          </button>
        </footer>
      </form>
    </>
  );
});
