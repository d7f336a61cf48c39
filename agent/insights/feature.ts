/** What the figures of VMs and hosts say that somebody should know. */
import type { insightCommands } from "../../lib/contract/mod.ts";
import { feature } from "../feature.ts";
import { insightHandlers } from "./handlers.ts";
import { Insights } from "./insights.ts";

export const insightFeature = feature<keyof typeof insightCommands>({
  name: "insights",
  open: (app) => ({ handlers: insightHandlers(new Insights(app)) }),
});
