/** Long work: listed, followed, cancelled. */
import type { jobCommands } from "../../lib/contract/mod.ts";
import { feature } from "../feature.ts";
import { jobHandlers } from "./handlers.ts";

export const jobFeature = feature<keyof typeof jobCommands>({
  name: "jobs",
  open: ({ jobs, places, linked }) => ({ handlers: jobHandlers(jobs, places, () => linked.jobs()) }),
});
