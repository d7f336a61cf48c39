/** Inside VMs: what their guests' agents tell and do. */
import type { guestCommands } from "../../lib/contract/mod.ts";
import { feature } from "../feature.ts";
import { GuestFreezes } from "./freezes.ts";
import { GuestLines } from "./guest_lines.ts";
import { guestHandlers } from "./handlers.ts";
import { QemuBackend } from "./qemu_ga/backend.ts";
import { GuestService } from "./service.ts";
import { guestSteps } from "./steps.ts";

export const guestFeature = feature<never, keyof typeof guestCommands, keyof typeof guestSteps>({
  name: "guests",
  steps: guestSteps,
  open: ({ clock }) => ({
    host: (host) => {
      const lines = new GuestLines(clock), freezes = new GuestFreezes(host, clock);
      const qemu = new QemuBackend(host, lines, clock);
      const guests = new GuestService(host, [qemu], freezes);
      // An agent that comes or goes: what was known of it is old.
      const unwatch = host.link.watch((event) => {
        if (event.kind !== "domain" || event.event !== "agent") return;
        lines.forget(event.uuid);
        qemu.forget(event.uuid);
      });
      return {
        handlers: guestHandlers({ host, guests, freezes, now: () => clock.now() }),
        stop: async () => {
          unwatch();
          await freezes.stop();
        },
      };
    },
  }),
});
