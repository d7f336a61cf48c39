/** Whether the host is fit to run VMs. */
import type { healthCommands } from "../../../lib/contract/mod.ts";
import { feature } from "../../feature.ts";
import { healthHandlers } from "./handlers.ts";

export const healthFeature = feature<never, keyof typeof healthCommands>({
  name: "health",
  open: (app) => ({
    host: (host) => ({ handlers: healthHandlers(app.settings, host, app) }),
  }),
});
