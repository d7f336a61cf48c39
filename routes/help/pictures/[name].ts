import { HttpError } from "fresh";
import { readPicture } from "../../../agent/help/read.ts";
import { define } from "../../../lib/page_state.ts";

/** Seconds for which a browser need not ask again: pictures change with the program alone. */
const FRESH_SECONDS = 3600;

/** A picture of the documentation. */
export const handler = define.handlers({
  async GET({ params }) {
    const picture = await readPicture(params.name ?? "");
    if (picture === undefined) throw new HttpError(404);
    return new Response(picture, {
      headers: { "content-type": "image/webp", "cache-control": `private, max-age=${FRESH_SECONDS}` },
    });
  },
});
