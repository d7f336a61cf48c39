import { HttpError, page } from "fresh";
import { signal } from "@preact/signals";
import type { FormFault } from "../../../components/vm/cloud_init/CloudInitField.tsx";
import { VmPage } from "../../../components/vm/VmPage.tsx";
import CloudInit from "../../../islands/CloudInit.tsx";
import { faultOf } from "../../../lib/vm/cloud_init/fault.ts";
import { firstUser } from "../../../lib/vm/cloud_init/first.ts";
import { cloudInitOf } from "../../../lib/vm/cloud_init/form_data.ts";
import {
  type CloudInit as Wanted,
  type CloudInitFiles,
  type CloudInitState,
  type CloudInitUser,
  ContractError,
  type VM,
} from "../../../lib/contract/mod.ts";
import { failureOf } from "../../../lib/text/failure.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { t } from "../../../lib/i18n/mod.ts";
import { define, type PageState } from "../../../lib/page_state.ts";
import { postedForm } from "../../(_shared)/form.ts";
import { fail } from "../../(_shared)/fail.ts";
import { vmOf } from "../../(_shared)/vm.ts";

interface Shown {
  vm: VM;
  state: CloudInitState;
  unreadable?: string;
  now: number;
  fault?: FormFault;
  said?: Wanted;
  passwordsAgain?: readonly number[];
  preview?: CloudInitFiles;
  first: CloudInitUser;
}

/** The cloud-init settings of a VM. A seed that cannot be read can still be replaced or removed. */
async function shown(ctx: { params: Record<string, string>; state: PageState }): Promise<Shown> {
  const vm = await vmOf(ctx);
  const now = Date.now();
  const { sshKeys } = await ctx.state.api.getSshKeys();
  const first = firstUser(vm.osVariant, sshKeys);
  try {
    return { vm, first, state: await ctx.state.api.getCloudInit({ vmId: vm.id }), now };
  } catch (error) {
    if (failureOf(error).code !== "CloudInitUnreadable") throw fail(error);
    return { vm, first, state: { cloudInit: null, warnings: [] }, unreadable: failureOf(error).why, now };
  }
}

/**
 * Values of the form to show again, without passwords; `passwordsAgain` names the users whose passwords must be typed
 * again.
 */
function withoutPasswords(said: Wanted): Pick<Shown, "said" | "passwordsAgain"> {
  const { form, ...rest } = said;
  const users = form?.users?.map(({ password: _password, ...user }) => user);
  const passwordsAgain = form?.users?.flatMap(({ password }, index) => password === undefined ? [] : [index]);
  return {
    said: { ...rest, ...(form && { form: { ...form, ...(users && { users }) } }) },
    ...(passwordsAgain && { passwordsAgain }),
  };
}

/** Actions of the form's buttons; their results are shown on the page, without a redirect. */
const ACTIONS: Readonly<
  Record<string, (api: PageState["api"], vmId: string, said: Wanted) => Promise<CloudInitFiles | null>>
> = {
  save: async (api, vmId, cloudInit) => {
    await api.setCloudInit({ vmId, cloudInit });
    return null;
  },
  preview: (api, vmId, cloudInit) => api.previewCloudInit({ vmId, cloudInit }),
  remove: (api, vmId) => api.removeCloudInit({ vmId }),
};

export const handler = define.handlers({
  async GET(ctx) {
    return page(await shown(ctx));
  },
  /** The form of a page without script. */
  async POST(ctx) {
    const data = await postedForm(ctx.req);
    const name = String(data.get("action") ?? "save");
    const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
    if (action === undefined) throw new HttpError(400, t("error.form"));
    const vmId = ctx.params.id ?? "";
    const said = cloudInitOf(data);
    try {
      const preview = await action(ctx.state.api, vmId, said);
      if (preview === null) return ctx.redirect(`/vms/${encodeURIComponent(vmId)}/cloud-init`, 303);
      return page<Shown>({ ...await shown(ctx), ...withoutPasswords(said), preview });
    } catch (error) {
      const fault = error instanceof ContractError ? faultOf(error) : undefined;
      if (fault === undefined) return fail(error);
      return page<Shown>({ ...await shown(ctx), ...withoutPasswords(said), fault }, { status: 400 });
    }
  },
});

/** Page of a VM's cloud-init settings. */
export default define.page<typeof handler>(function VmCloudInit({ data, state }) {
  const { vm, first, state: told, unreadable, now, fault, said, passwordsAgain, preview } = data;
  const shared = signal(vm);
  return (
    <VmPage
      vm={shared}
      state={state}
      now={now}
      title={`${oneLine(vm.name, 60)} · ${t("vm.tab_cloud_init")}`}
      at="/cloud-init"
    >
      <CloudInit
        vm={shared}
        connected={state.connection.connected}
        state={told}
        now={now}
        first={first}
        {...(unreadable !== undefined && { unreadable })}
        {...(fault && { fault })}
        {...(said && { said })}
        {...(passwordsAgain && { passwordsAgain })}
        {...(preview && { preview })}
      />
    </VmPage>
  );
});
