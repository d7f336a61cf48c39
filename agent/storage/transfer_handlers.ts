/** The commands that move content of volumes. */
import type { transferCommands } from "../../lib/contract/mod.ts";
import type { Handlers } from "../dispatch.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { downloadVolume } from "./download.ts";
import type { Uploads } from "./uploads.ts";

/** A handler for each of them. */
export function transferHandlers(
  host: LibvirtHost,
  uploads: Uploads,
): Pick<Handlers, keyof typeof transferCommands> {
  return {
    upload_volume: (input, context) => uploads.take(input, context),
    list_uploads: (input) => uploads.list(input),
    get_upload: (input) => uploads.state(input),
    delete_upload: (input, { principal }) => uploads.cancel(input, principal),
    download_volume: (input, context) => downloadVolume(host, input, context),
  };
}
