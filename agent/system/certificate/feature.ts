/** The certificate of the pages' address: shown, and renewed or read again when it changes. */
import type { certificateCommands } from "../../../lib/contract/mod.ts";
import { feature } from "../../feature.ts";
import { certificateHandlers } from "./handlers.ts";

/** Milliseconds between looks at the certificate's files. */
const CHECK_MS = 2000;

export const certificateFeature = feature<keyof typeof certificateCommands>({
  name: "certificate",
  open: (app) => ({
    handlers: certificateHandlers(() => app.doors),
    periodic: [
      { name: "certificate", every: () => CHECK_MS, run: () => app.doors?.certificates?.check() },
    ],
  }),
});
