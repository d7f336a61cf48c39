import { page } from "fresh";
import { type Naming, VmNamePage } from "../../../components/vm/VmNamePage.tsx";
import type { VM } from "../../../lib/contract/mod.ts";
import { define, type PageState } from "../../../lib/page_state.ts";
import { cloneInput } from "../../../lib/vm/clone_form.ts";
import { postedForm } from "../../(_shared)/form.ts";
import { fail, unlessAway } from "../../(_shared)/fail.ts";
import { copyName, named } from "../../(_shared)/manage.ts";
import { vmOf } from "../../(_shared)/vm.ts";

/** Names of the snapshots that are within the disks themselves, the newest first. */
async function snapshotsOf(api: PageState["api"], { id: vmId }: VM): Promise<string[]> {
  const list = await api.listSnapshots({ vmId }).catch(unlessAway);
  return list?.snapshots.filter(({ external }) => !external).map(({ name }) => name).reverse() ?? [];
}

/** Whether it has a TPM that can be copied. */
async function hasTpm(api: PageState["api"], { id: vmId }: VM): Promise<boolean> {
  const hardware = await api.getHardware({ vmId }).catch(unlessAway);
  return hardware?.next.tpm?.backend === "emulator";
}

export const handler = define.handlers({
  async GET(ctx) {
    const vm = await vmOf(ctx);
    const shown: Naming = {
      vm,
      name: await copyName(ctx.state.api, vm.name).catch(fail),
      linked: false,
      snapshots: await snapshotsOf(ctx.state.api, vm),
      snapshot: ctx.url.searchParams.get("snapshot") ?? "",
      ...(await hasTpm(ctx.state.api, vm) && { tpm: "copy" as const }),
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
      await postedForm(ctx.req),
      (name, wish) => api.cloneVm({ vmId: vm.id, name, ...cloneInput(wish) }),
    );
    if (!("vmId" in result)) {
      return page({ ...result, snapshots: await snapshotsOf(api, vm) }, {
        status: result.failure?.status ?? 200,
      });
    }
    const { name, warnings } = result;
    ctx.state.notify({ is: "done", word: "clone_vm", name, warnings });
    return ctx.redirect(`/vms/${encodeURIComponent(result.vmId)}`, 303);
  },
});

/** Making a copy of a VM. */
export default define.page<typeof handler>(function Clone({ data }) {
  return <VmNamePage kind="clone" {...data} />;
});
