/** A profile as the file that `export_profile` writes, for the browser to keep. */
import { define } from "../../../lib/page_state.ts";
import { profileFileName, writtenProfile } from "../../../lib/profiles/file.ts";
import { fail } from "../../(_shared)/fail.ts";

export const handler = define.handlers({
  async GET({ state, params }) {
    const profile = await state.api.getProfile({ id: params.id ?? "" }).catch(fail);
    const name = encodeURIComponent(profileFileName(profile.name)).replaceAll("'", "%27");
    return new Response(writtenProfile(profile, Date.now()), {
      headers: {
        "content-type": "application/json; charset=utf-8",
        "content-disposition": `attachment; filename*=UTF-8''${name}`,
      },
    });
  },
});
