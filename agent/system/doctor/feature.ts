/** Whether the host is fit to run VMs. */
import type { healthCommands } from "../../../lib/contract/mod.ts";
import { feature } from "../../feature.ts";
import { healthHandlers } from "./handlers.ts";

export const healthFeature = feature<never, keyof typeof healthCommands>({
  name: "health",
  open: ({ settings }) => ({
    host: ({ link, capabilities }) => ({ handlers: healthHandlers(settings, link, capabilities) }),
  }),
});
