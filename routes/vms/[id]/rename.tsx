import { page } from "fresh";
import { Head } from "fresh/runtime";
import RenameOrClone from "../../../islands/RenameOrClone.tsx";
import { oneLine } from "../../../lib/format/text.ts";
import { manage } from "../../../lib/i18n/en/manage.ts";
import { t, textsOf } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";

import { named, type Naming } from "../../(_shared)/manage.ts";
import { vmOf } from "../../(_shared)/vm.ts";

const texts = textsOf(manage);

export const handler = define.handlers({
  async GET(ctx) {
    const vm = await vmOf(ctx);
    const shown: Naming = { vm, name: vm.name, linked: false, failure: null };
    return page(shown);
  },
  /** The form, where there is no script. */
  async POST(ctx) {
    const vm = await vmOf(ctx);
    const { api } = ctx.state;
    const result = await named(vm, await ctx.req.formData(), async (name) => {
      await api.renameVm({ vmId: vm.id, name });
      return vm.id;
    });
    if (!("vmId" in result)) return page(result);
    return ctx.redirect(`/vms/${encodeURIComponent(result.vmId)}?done=rename`, 303);
  },
});

/** Giving a machine another name. */
export default define.page<typeof handler>(function Rename({ data: { vm, name, linked, failure } }) {
  const title = texts.t("manage.rename_title", { name: oneLine(vm.name, 60) });
  return (
    <>
      <Head>
        <title>{t("title.page", { page: title })}</title>
      </Head>
      <RenameOrClone
        kind="rename"
        vmId={vm.id}
        vmName={vm.name}
        name={name}
        linked={linked}
        failure={failure}
      />
    </>
  );
});
