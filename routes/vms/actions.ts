import { HttpError } from "fresh";
import { PLAIN_BULK_ACTIONS } from "../../components/vm/list/BulkForm.tsx";
import type { BatchOperationResult } from "../../lib/contract/mod.ts";
import { plural, t } from "../../lib/i18n/mod.ts";
import { define, type PageState } from "../../lib/page_state.ts";
import { postedForm } from "../(_shared)/form.ts";
import { fail } from "../(_shared)/fail.ts";

type PlainBulkAction = typeof PLAIN_BULK_ACTIONS[number];

const CALLS: Readonly<
  Record<PlainBulkAction, (api: PageState["api"], vmIds: string[]) => Promise<BatchOperationResult>>
> = {
  start: (api, vmIds) => api.batchStartVms({ vmIds }),
  stop: (api, vmIds) => api.batchStopVms({ vmIds }),
  reboot: (api, vmIds) => api.batchRebootVms({ vmIds }),
};

/** One action on the VMs that are ticked in the list: the form of a page without script. */
export const handler = define.handlers({
  async POST(ctx) {
    const form = await postedForm(ctx.req);
    const action = PLAIN_BULK_ACTIONS.find((name) => name === form.get("action"));
    const vmIds = form.getAll("vm").map(String);
    if (action === undefined) throw new HttpError(400, t("error.form"));
    if (vmIds.length === 0) throw new HttpError(400, t("error.none_selected"));
    const { results, failed } = await CALLS[action](ctx.state.api, vmIds).catch(fail);
    if (failed > 0) {
      const reasons = results.flatMap(({ vmId, error }) => error ? [`${vmId}: ${error.message}`] : []);
      throw new HttpError(409, reasons.join("\n"));
    }
    const [first] = vmIds,
      name = vmIds.length > 1
        ? plural("vms.counted", vmIds.length)
        : (await ctx.state.api.getVm({ vmId: first! }).catch(fail)).name;
    ctx.state.notify({ is: "done", word: `${action}_vm`, name });
    return ctx.redirect("/vms", 303);
  },
});
