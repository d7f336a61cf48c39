/** The commands on what figures say. */
import type { insightCommands } from "../../lib/contract/mod.ts";
import type { Handlers } from "../dispatch.ts";
import type { Insights } from "./insights.ts";

/** A handler for each of them. */
export function insightHandlers(insights: Insights): Pick<Handlers, keyof typeof insightCommands> {
  return {
    analyze_vm_performance: ({ vmId, window = "24h" }, { principal }) =>
      insights.ofVm(vmId, window, principal),
    analyze_all_vms: ({ window = "24h" }, { principal }) => insights.ofAll(window, principal),
  };
}
