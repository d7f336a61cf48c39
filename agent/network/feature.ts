/** Virtual networks, what they are plugged into, and the filters of their cards. */
import type { filterCommands, networkCommands, topologyCommands } from "../../lib/contract/mod.ts";
import { feature } from "../feature.ts";
import { filterHandlers } from "./filters.ts";
import { networkHandlers } from "./handlers.ts";
import { networkSteps } from "./steps.ts";
import { topologyHandlers } from "./topology.ts";

type NetworkCommand =
  | keyof typeof networkCommands
  | keyof typeof topologyCommands
  | keyof typeof filterCommands;

export const networkFeature = feature<never, NetworkCommand, keyof typeof networkSteps>({
  name: "networks",
  steps: networkSteps,
  open: () => ({
    host: (host) => ({
      handlers: {
        ...networkHandlers(host),
        ...topologyHandlers(host),
        ...filterHandlers(host),
      },
    }),
  }),
});
