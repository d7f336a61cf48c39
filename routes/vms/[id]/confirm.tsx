import { HttpError, page } from "fresh";
import { Head } from "fresh/runtime";
import { ConfirmText, confirmTitle } from "../../../components/vm/ConfirmText.tsx";
import { DeletePlanView } from "../../../components/vm/DeletePlan.tsx";
import { ACTIONS, isActionName } from "../../../lib/vm/actions.ts";
import { formHref } from "../../../lib/text/form_href.ts";
import { t } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { fail } from "../../(_shared)/fail.ts";
import { vmOf } from "../../(_shared)/vm.ts";

export const handler = define.handlers({
  async GET(ctx) {
    const action = ctx.url.searchParams.get("action");
    if (!isActionName(action)) throw new HttpError(400, t("error.form"));
    const vm = await vmOf(ctx);
    const plan = action === "delete" ? await ctx.state.api.getDeletePlan({ vmId: vm.id }).catch(fail) : null;
    return page({ vm, action, plan });
  },
});

/** The question before something is lost, as a page: for pages without script. */
export default define.page<typeof handler>(function Confirm({ data: { vm, action, plan } }) {
  const here = `/vms/${encodeURIComponent(vm.id)}`;
  const title = confirmTitle(action, [vm]);
  return (
    <>
      <Head>
        <title>{t("title.page", { page: title })}</title>
      </Head>
      <form
        class="panel narrow"
        method="post"
        action={formHref(
          ACTIONS[action].command,
          { vmId: vm.id },
          action === "delete" ? "/vms" : here,
          `${here}/confirm?action=${action}`,
        )}
      >
        <div class="dialog-body">
          <h1>{title}</h1>
          <ConfirmText action={action} vms={[vm]} />
          {plan && <DeletePlanView plan={plan} />}
        </div>
        <footer class="dialog-foot">
          <input type="hidden" name="confirmed" value="yes" />
          <a class="button" href={here}>{t("danger.cancel")}</a>
          <button type="submit" class="button danger">
            {t(ACTIONS[action].label)}
          </button>
        </footer>
      </form>
    </>
  );
});
