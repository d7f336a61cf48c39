import { page } from "fresh";
import { Head } from "fresh/runtime";
import RenameOrClone from "../../../islands/RenameOrClone.tsx";
import { oneLine } from "../../../lib/format/text.ts";
import { manage } from "../../../lib/i18n/en/manage.ts";
import { t, textsOf } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { fail } from "../../(_shared)/fail.ts";
import { copyName, named, type Naming } from "../../(_shared)/manage.ts";
import { vmOf } from "../../(_shared)/vm.ts";

const texts = textsOf(manage);

export const handler = define.handlers({
  async GET(ctx) {
    const vm = await vmOf(ctx);
    const shown: Naming = {
      vm,
      name: await copyName(ctx.state.api, vm.name).catch(fail),
      linked: false,
      failure: null,
    };
    return page(shown);
  },
  /** The form, where there is no script. */
  async POST(ctx) {
    const vm = await vmOf(ctx);
    const { api } = ctx.state;
    const result = await named(
      vm,
      await ctx.req.formData(),
      async (name, linked) => (await api.cloneVm({ vmId: vm.id, name, linked })).vmId,
    );
    if (!("vmId" in result)) return page(result);
    return ctx.redirect(`/vms/${encodeURIComponent(result.vmId)}?done=clone`, 303);
  },
});

/** Making a copy of a machine. */
export default define.page<typeof handler>(function Clone({ data: { vm, name, linked, failure } }) {
  const title = texts.t("manage.clone_title", { name: oneLine(vm.name, 60) });
  return (
    <>
      <Head>
        <title>{t("title.page", { page: title })}</title>
      </Head>
      <RenameOrClone
        kind="clone"
        vmId={vm.id}
        vmName={vm.name}
        name={name}
        linked={linked}
        failure={failure}
      />
    </>
  );
});
