import { HttpError, page } from "fresh";
import { Head } from "fresh/runtime";
import { DangerText, dangerTitle, DiskChoice } from "../../../components/DangerText.tsx";
import { ACTIONS, isActionName } from "../../../lib/format/actions.ts";
import { t } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { vmOf } from "../../(_shared)/vm.ts";

export const handler = define.handlers({
  async GET(ctx) {
    const action = ctx.url.searchParams.get("action");
    if (!isActionName(action)) throw new HttpError(400, t("error.form"));
    return page({ vm: await vmOf(ctx), action });
  },
});

/** The question before something is lost, as a page: for pages without script. */
export default define.page<typeof handler>(function Confirm({ data: { vm, action } }) {
  const here = `/vms/${encodeURIComponent(vm.id)}`;
  const title = dangerTitle(action, [vm]);
  return (
    <>
      <Head>
        <title>{t("title.page", { page: title })}</title>
      </Head>
      <form class="panel narrow" method="post" action={`${here}/actions`}>
        <div class="dialog-body">
          <h1>{title}</h1>
          <DangerText action={action} vms={[vm]} />
          {action === "delete" && <DiskChoice vms={[vm]} />}
        </div>
        <footer class="dialog-foot">
          <input type="hidden" name="confirmed" value="yes" />
          <a class="button" href={here}>{t("danger.cancel")}</a>
          <button type="submit" class="button danger" name="action" value={action}>
            {t(ACTIONS[action].label)}
          </button>
        </footer>
      </form>
    </>
  );
});
