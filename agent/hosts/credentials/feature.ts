/** Keys, certificates and passwords of KVM Manager. */
import type { credentialCommands } from "../../../lib/contract/mod.ts";
import { feature } from "../../feature.ts";
import { credentialHandlers } from "./handlers.ts";

export const credentialFeature = feature<keyof typeof credentialCommands>({
  name: "credentials",
  open: (app) => ({ handlers: credentialHandlers(app) }),
});
