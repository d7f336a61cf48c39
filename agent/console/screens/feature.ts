/** Screens and keyboards of VMs, and the passwords that guard the screens. */
import type { screenCommands } from "../../../lib/contract/mod.ts";
import { feature } from "../../feature.ts";
import { screenHandlers } from "./handlers.ts";
import { ScreenPasswords } from "./passwords.ts";

/** `VIR_DOMAIN_EVENT_STARTED_RESTORED` */
const STARTED_RESTORED = 2;
/** Milliseconds between looks for screens whose password is due, with listeners and without. */
const RENEW_MS = { watched: 10_000, idle: 30_000 };

export const screenFeature = feature<never, keyof typeof screenCommands>({
  name: "screens",
  open: ({ hub }) => ({
    host: (host) => {
      const passwords = new ScreenPasswords(host.link, host.inventory);
      return {
        handlers: screenHandlers(host),
        periodic: [{
          name: "screen passwords",
          every: () => hub.listeners > 0 ? RENEW_MS.watched : RENEW_MS.idle,
          run: () => passwords.renewDue(),
        }],
        connected: () => passwords.renewAll(),
        changed: ({ vmId, event, detail }) => {
          if (event !== "started" && event !== "defined") return;
          // A start of ours renews a restored password itself, before it answers.
          const isOurs = host.inventory.vm(vmId)?.operation !== undefined;
          passwords.onStart(vmId, event === "started" && detail === STARTED_RESTORED && !isOurs);
        },
      };
    },
  }),
});
