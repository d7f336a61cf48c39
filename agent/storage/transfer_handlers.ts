/** The commands that move content of volumes. */
import type { transferCommands } from "../../lib/contract/mod.ts";
import type { Handlers } from "../dispatch.ts";
import type { VmServices } from "../vm/services.ts";
import { downloadVolume } from "./download.ts";
import type { Uploads } from "./uploads.ts";

/** A handler for each of them. */
export function transferHandlers(
  services: VmServices,
  uploads: Uploads,
): Pick<Handlers, keyof typeof transferCommands> {
  return {
    upload_volume: (input, context) => uploads.take(input, context),
    get_upload: (input) => uploads.state(input),
    download_volume: (input, context) => downloadVolume(services, input, context),
  };
}
