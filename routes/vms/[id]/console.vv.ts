import { define } from "../../../lib/page_state.ts";
import { fail } from "../../(_shared)/fail.ts";

/** The file that opens a VM's screen in remote-viewer. */
export const handler = define.handlers({
  async GET(ctx) {
    const { fileName, contentType, content } = await ctx.state.api
      .getViewerFile({ vmId: ctx.params.id ?? "" })
      .catch(fail);
    return new Response(content, {
      headers: {
        "content-type": contentType,
        "content-disposition": `attachment; filename="${fileName}"`,
        "cache-control": "no-store",
      },
    });
  },
});
