/** Whether the host is fit to run VMs. */
import type { healthCommands } from "../../../lib/contract/mod.ts";
import { feature } from "../../feature.ts";
import { healthHandlers } from "./handlers.ts";

export const healthFeature = feature<never, keyof typeof healthCommands>({
  name: "health",
  open: ({ settings, clock }) => ({
    host: (host) => ({ handlers: healthHandlers(settings, host, clock) }),
  }),
});
