/** Inside VMs: what their guests' agents tell and do. */
import { type LibvirtEvent, LIFECYCLE } from "../../ffi/events.ts";
import type { guestCommands } from "../../lib/contract/mod.ts";
import { feature } from "../feature.ts";
import { GuestFreezes } from "./freezes.ts";
import { GuestLines } from "./guest_lines.ts";
import { guestHandlers } from "./handlers.ts";
import { OwnBackend } from "./own/backend.ts";
import { openChannel } from "./own/channel.ts";
import { OwnAgentLines } from "./own/lines.ts";
import { QemuBackend } from "./qemu_ga/backend.ts";
import { GuestService } from "./service.ts";
import { guestSteps } from "./steps.ts";

/** Whether nothing of what was known of a VM's agent holds any more: another system runs in it, or none. */
const endsGuest = (event: LibvirtEvent): boolean =>
  event.event === "reboot" ||
  event.event === "lifecycle" &&
    ["started", "stopped", "crashed"].includes(LIFECYCLE[Number(event.args[0])]!);

export const guestFeature = feature<never, keyof typeof guestCommands, keyof typeof guestSteps>({
  name: "guests",
  steps: guestSteps,
  open: ({ clock }) => ({
    host: (host) => {
      const lines = new GuestLines(clock), freezes = new GuestFreezes(host, clock);
      const ownLines = new OwnAgentLines((vmId) => openChannel(host.link.consoles, vmId), clock);
      const own = new OwnBackend(host.link, ownLines, clock);
      const qemu = new QemuBackend(host, lines, clock);
      const guests = new GuestService(host, [own, qemu], freezes);
      const unwatch = host.link.watch((event) => {
        if (event.kind !== "domain") return;
        // QEMU's agent comes or goes: what was known of it is old. libvirt tells that of no other channel.
        if (event.event === "agent") {
          lines.forget(event.uuid);
          qemu.forget(event.uuid);
        }
        if (endsGuest(event)) own.forget(event.uuid);
      });
      host.agentAnswers = async (vmId) => (await guests.status(vmId)).connected;
      host.askGuest = (vm, again) => own.asks(vm, again);
      return {
        handlers: guestHandlers({ host, guests, freezes, now: () => clock.now() }),
        disconnected: () => ownLines.forgetAll(),
        stop: async () => {
          unwatch();
          await freezes.stop();
          await ownLines.stop();
        },
      };
    },
  }),
});
