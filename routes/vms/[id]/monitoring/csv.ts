import { rangeIn, rangeInput } from "../../../../lib/metrics/ranges.ts";
import { define } from "../../../../lib/page_state.ts";
import { fail } from "../../../(_shared)/fail.ts";
import { csvAnswer } from "../../../(_shared)/metrics_csv.ts";
import { vmOf } from "../../../(_shared)/vm.ts";

/** A VM's figures over the range of its page, all of them, as CSV. */
export const handler = define.handlers({
  async GET(ctx) {
    const { id: vmId, name } = await vmOf(ctx), now = Date.now();
    const asked = rangeInput(rangeIn(ctx.url.searchParams, now), now);
    return csvAnswer(name, await ctx.state.api.getHistoricalMetrics({ vmId, ...asked }).catch(fail));
  },
});
