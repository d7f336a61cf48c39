/** The host itself: what it is, how it does, and what happened on it. */
import type { hostCommands } from "../../lib/contract/mod.ts";
import { feature } from "../feature.ts";
import { hostHandlers } from "./handlers.ts";

export const hostFeature = feature<"get_activity", Exclude<keyof typeof hostCommands, "get_activity">>({
  name: "host",
  open: ({ activity, knownVms }) => ({
    handlers: {
      get_activity: ({ limit = 50, ...wanted }) => {
        // What was before is of another VM, which had the id.
        const own = wanted.vmId === undefined ? 0 : knownVms.since(wanted.vmId);
        const since = Math.max(own, wanted.since ?? 0);
        return activity.latest(limit, own === 0 ? wanted : { ...wanted, since });
      },
    },
    host: (host) => ({ handlers: hostHandlers(host) }),
  }),
});
