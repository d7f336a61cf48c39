import { page } from "fresh";
import { type Naming, VmNamePage } from "../../../components/vm/VmNamePage.tsx";
import { define } from "../../../lib/page_state.ts";
import { postedForm } from "../../(_shared)/form.ts";
import { named } from "../../(_shared)/manage.ts";
import { vmOf } from "../../(_shared)/vm.ts";

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
    const result = await named(vm, await postedForm(ctx.req), async (name) => {
      await api.renameVm({ vmId: vm.id, name });
      return { vmId: vm.id };
    });
    if (!("vmId" in result)) return page(result, { status: result.failure?.status ?? 200 });
    ctx.state.notify({ is: "done", word: "rename_vm", name: result.name });
    return ctx.redirect(`/vms/${encodeURIComponent(result.vmId)}`, 303);
  },
});

/** Giving a VM another name. */
export default define.page<typeof handler>(function Rename({ data }) {
  return <VmNamePage kind="rename" {...data} />;
});
