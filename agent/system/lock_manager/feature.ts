/** Protection of disks against two VMs that write to them. */
import type { lockManagerCommands } from "../../../lib/contract/mod.ts";
import { feature } from "../../feature.ts";
import { lockManagerHandlers } from "./handlers.ts";

export const lockManagerFeature = feature<never, keyof typeof lockManagerCommands>({
  name: "lock_manager",
  open: (app) => ({
    host: (host) => ({ handlers: lockManagerHandlers(app, host) }),
  }),
});
