/** Insights: notable findings in the figures of VMs and hosts. */
import type { insightCommands } from "../../lib/contract/mod.ts";
import { feature } from "../feature.ts";
import { insightHandlers } from "./handlers.ts";
import { Insights } from "./insights.ts";

export const insightFeature = feature<keyof typeof insightCommands>({
  name: "insights",
  open: (app) => ({ handlers: insightHandlers(new Insights(app)) }),
});
