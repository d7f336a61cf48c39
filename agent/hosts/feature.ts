/** The host itself: what it is, how it does, and what happened on it. */
import type { hostCommands } from "../../lib/contract/mod.ts";
import { feature } from "../feature.ts";
import { hostHandlers } from "./handlers.ts";

export const hostFeature = feature<"get_activity", Exclude<keyof typeof hostCommands, "get_activity">>({
  name: "host",
  open: ({ activity }) => ({
    handlers: { get_activity: ({ limit = 50, ...wanted }) => activity.latest(limit, wanted) },
    host: (host) => ({ handlers: hostHandlers(host) }),
  }),
});
