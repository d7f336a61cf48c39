import { define } from "../../../lib/page_state.ts";
import { fail } from "../../(_shared)/fail.ts";

/** A VM's definition as a file, without passwords. */
export const handler = define.handlers({
  async GET(ctx) {
    const { fileName, xml } = await ctx.state.api.exportVm({ vmId: ctx.params.id ?? "" }).catch(fail);
    return new Response(xml, {
      headers: {
        "content-type": "application/xml; charset=utf-8",
        "content-disposition": `attachment; filename="${fileName}"`,
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
      },
    });
  },
});
