import type { VM } from "../../lib/contract/mod.ts";
import type { PageState } from "../../lib/page_state.ts";
import { fail } from "./fail.ts";

/** The VM a page's address names. @throws {HttpError} 404 when there is none. */
export async function vmOf(ctx: { params: Record<string, string>; state: PageState }): Promise<VM> {
  return await ctx.state.api.getVm({ vmId: ctx.params.id ?? "" }).catch(fail);
}
