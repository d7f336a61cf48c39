/** Searching what all hosts have. */
import type { searchCommands } from "../../lib/contract/mod.ts";
import { feature } from "../feature.ts";
import { auditSearch } from "./audit_search.ts";
import { jobSearch } from "./job_search.ts";

export const searchFeature = feature<keyof typeof searchCommands>({
  name: "search",
  open: (app) => ({ handlers: { ...auditSearch(app), ...jobSearch(app) } }),
});
