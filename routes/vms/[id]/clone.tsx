import { page } from "fresh";
import { type Naming, NamingPage } from "../../../components/NamingPage.tsx";
import { define } from "../../../lib/page_state.ts";
import { fail } from "../../(_shared)/fail.ts";
import { copyName, named } from "../../(_shared)/manage.ts";
import { vmOf } from "../../(_shared)/vm.ts";

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
export default define.page<typeof handler>(function Clone({ data }) {
  return <NamingPage kind="clone" {...data} />;
});
