import { HttpError, page } from "fresh";
import { Head } from "fresh/runtime";
import { forwardName, forwardTarget } from "../../../lib/network/forwards/describe.ts";
import { networkHref } from "../../../lib/network/network_href.ts";
import { nameIn } from "../../../lib/text/path_segment.ts";
import { formHref } from "../../../lib/text/form_href.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { forwards as forwardTexts } from "../../../lib/i18n/en/forwards.ts";
import { networks as texts } from "../../../lib/i18n/en/networks.ts";
import { t, textsOf } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { fail } from "../../(_shared)/fail.ts";

const area = textsOf(texts);
const forwardArea = textsOf(forwardTexts);
const ASKED = ["stop", "delete"] as const;
/** Texts by the kind of confirmation. */
const WORDS = {
  stop: { title: "networks.confirm_stop", lost: "networks.lost_stop", verb: "networks.stop" },
  delete: { title: "networks.confirm_delete", lost: "networks.lost_delete", verb: "networks.delete" },
} as const;

export const handler = define.handlers({
  async GET(ctx) {
    const action = ASKED.find((word) => word === ctx.url.searchParams.get("action"));
    if (action === undefined) throw new HttpError(400, t("error.form"));
    const name = nameIn(ctx.params.name ?? "");
    const [network, forwards] = await Promise.all([
      ctx.state.api.getNetwork({ name }),
      action === "delete" ? ctx.state.api.listPortForwards({ network: name }) : [],
    ]).catch(fail);
    return page({ network, forwards, action });
  },
});

/** The question before a network is taken away from somebody. */
export default define.page<typeof handler>(function Confirm({ data: { network, forwards, action } }) {
  const { name, vms } = network;
  const words = WORDS[action];
  const users = action === "delete" ? vms : vms.filter(({ state }) => state !== "stopped");
  const title = area.t(words.title, { name: oneLine(name, 60) });
  return (
    <>
      <Head>
        <title>{t("title.page", { page: title })}</title>
      </Head>
      <form
        class="panel narrow"
        method="post"
        action={formHref(
          `${action}_network`,
          { name },
          action === "delete" ? "/networks" : networkHref(name),
          `${networkHref(name)}/confirm?action=${action}`,
        )}
      >
        <div class="dialog-body">
          <h1>{title}</h1>
          <p>{area.t(words.lost)}</p>
          {users.length > 0 && (
            <>
              <p>{area.t("networks.users_lose")}</p>
              <ul class="name-list">
                {users.map((user) => (
                  <li key={user.vmId}>
                    <bdi>{oneLine(user.name, 60)}</bdi>
                  </li>
                ))}
              </ul>
              <input type="hidden" name="force" value="yes" />
            </>
          )}
          {forwards.length > 0 && (
            <>
              <p>{forwardArea.t("forwards.go_too")}</p>
              <ul class="name-list">
                {forwards.map((forward) => (
                  <li key={forward.id}>
                    <bdi>
                      {forwardArea.t("forwards.leads", {
                        what: forwardName(forward),
                        target: forward.vmName === undefined
                          ? forwardTarget(forward)
                          : oneLine(forward.vmName, 60),
                      })}
                    </bdi>
                  </li>
                ))}
              </ul>
            </>
          )}
        </div>
        <footer class="dialog-foot">
          <a class="button" href={networkHref(name)}>{area.t("networks.cancel")}</a>
          <button type="submit" class="button danger" name="confirmed" value="yes">
            {area.t(words.verb)}
          </button>
        </footer>
      </form>
    </>
  );
});
