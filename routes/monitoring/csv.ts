import { rangeIn, rangeInput } from "../../lib/metrics/ranges.ts";
import { define } from "../../lib/page_state.ts";
import { fail } from "../(_shared)/fail.ts";
import { csvAnswer } from "../(_shared)/metrics_csv.ts";

/** The host's figures over the range of its page, all of them, as CSV. */
export const handler = define.handlers({
  async GET({ state: { api, hostname }, url }) {
    const now = Date.now(), asked = rangeInput(rangeIn(url.searchParams, now), now);
    return csvAnswer(hostname, await api.getHostMetrics(asked).catch(fail));
  },
});
