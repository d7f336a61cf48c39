import { log } from "../../agent/log.ts";
import type { Replication } from "../../lib/contract/mod.ts";
import type { PageState } from "../../lib/page_state.ts";

/** Replications of a VM that who looks may see. What cannot be read takes nothing from the page: it is there without them. */
export async function vmReplications({ api, may }: PageState, vmId: string): Promise<Replication[]> {
  if (!may("list_replications")) return [];
  try {
    return (await api.listReplications()).filter((each) => each.vmId === vmId);
  } catch (error) {
    log.debug("the replications of a VM cannot be read", { vmId, error });
    return [];
  }
}
