/** Consoles: tickets for them, and their ends. */
import { feature } from "../feature.ts";
import { type ConsoleCommand, consoleHandlers } from "./handlers.ts";

/** Milliseconds between looks whether those who hold a console still may. */
const RIGHTS_MS = 1000;

export const consoleFeature = feature<never, ConsoleCommand>({
  name: "consoles",
  open: ({ consoles }) => ({
    host: (host) => ({
      handlers: consoleHandlers(host, consoles),
      changed: ({ vmId }) => consoles.onChange(vmId),
    }),
    periodic: [{ name: "console rights", every: () => RIGHTS_MS, run: () => consoles.recheck() }],
  }),
});
