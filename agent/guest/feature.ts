/** Inside VMs: what their guests' agents tell and do. */
import { type LibvirtEvent, LIFECYCLE } from "../../ffi/events.ts";
import type { guestCommands } from "../../lib/contract/mod.ts";
import { feature } from "../feature.ts";
import { log } from "../log.ts";
import { addressesOf } from "./addresses.ts";
import { GUEST_MIGRATIONS, GuestFactRecords } from "./fact_records.ts";
import { GuestFreezes } from "./freezes.ts";
import { GuestLines } from "./guest_lines.ts";
import { guestHandlers } from "./handlers.ts";
import { OwnBackend } from "./own/backend.ts";
import { openChannel } from "./own/channel.ts";
import { ChannelGuard } from "./own/channel_guard.ts";
import { openLocalChannel } from "./own/local_channel.ts";
import { OwnAgentLines } from "./own/lines.ts";
import { QemuBackend } from "./qemu_ga/backend.ts";
import { GuestService } from "./service.ts";
import { guestSteps } from "./steps.ts";
import { GuestWatch, TICK_MS } from "./watch.ts";

/** Whether nothing of what was known of a VM's agent holds any more: another system runs in it, or none. */
const endsGuest = (event: LibvirtEvent): boolean =>
  event.event === "reboot" ||
  event.event === "lifecycle" &&
    ["started", "stopped", "crashed"].includes(LIFECYCLE[Number(event.args[0])]!);

export const guestFeature = feature<never, keyof typeof guestCommands, keyof typeof guestSteps>({
  name: "guests",
  migrations: GUEST_MIGRATIONS,
  steps: guestSteps,
  open: ({ clock, store, settings: { guestInterval: interval } }) => {
    const records = new GuestFactRecords(store);
    return {
      host: (host) => {
        const lines = new GuestLines(clock), freezes = new GuestFreezes(host, clock);
        const channels = new ChannelGuard({
          pathOf: async (vmId) => host.machine !== null ? await own.channelPath(vmId) : undefined,
          openHere: openLocalChannel,
          openByLibvirt: (vmId, heard) => openChannel(host.link.consoles, vmId, heard),
          respondedAt: (vmId) => host.hangs.endedAt(`vm:${vmId}`),
        });
        const ownLines = new OwnAgentLines((vmId) => channels.open(vmId), clock);
        const own: OwnBackend = new OwnBackend(
          host.link,
          ownLines,
          clock,
          (vmId, interfaces) => host.toldAddresses(vmId, interfaces.flatMap(addressesOf)),
        );
        const qemu = new QemuBackend(host, lines, clock);
        const guests = new GuestService(host, [own, qemu], freezes, clock);
        const watch = new GuestWatch({
          inventory: host.inventory,
          guests,
          records,
          lines: ownLines,
          clock,
          interval,
        });
        host.guests = {
          answers: async (vmId) => {
            const vm = host.inventory.anyVm(vmId);
            return vm !== undefined && (await guests.statusOf(vm)).connected;
          },
          reading: (vmId) => watch.reading(vmId),
          ask: (vm, again) => own.asks(vm, again),
          addresses: async (vm) => (await own.interfaces(vm)).flatMap(addressesOf),
          freezer: {
            // What somebody keeps frozen by guest_freeze stays so
            isOwn: async (vm) =>
              freezes.until(vm.id) === undefined && (await guests.whoCan(vm, "freeze")) === own.kind,
            freeze: async (vm, seconds) => void await own.freeze(vm, [], seconds),
            thaw: (vm) => own.thaw(vm),
          },
        };
        const unwatch = host.link.watch((event) => {
          if (event.kind !== "domain") return;
          // QEMU's agent comes or goes: what was known of it is old.
          if (event.event === "agent") {
            lines.forget(event.uuid);
            qemu.forget(event.uuid);
          }
          if (event.event === "channel") {
            const [isOpen, alias] = event.args;
            own.channelChanged(event.uuid, isOpen === 1, String(alias)).catch((error) =>
              log.debug("a channel that changed could not be read", { vm: event.uuid, error })
            );
          }
          if (endsGuest(event)) own.forget(event.uuid);
          if (["agent", "channel"].includes(event.event) || endsGuest(event)) {
            channels.forget(event.uuid);
            guests.forget(event.uuid);
            watch.soon(event.uuid);
          }
          const isGone = event.event === "lifecycle" && LIFECYCLE[Number(event.args[0])] === "undefined";
          if (isGone) watch.forget(event.uuid);
        });
        return {
          handlers: guestHandlers({ host, guests, freezes, watch, now: () => clock.now() }),
          periodic: [{ name: "guests", every: () => TICK_MS, run: (signal) => watch.tick(signal) }],
          disconnected: () => ownLines.forgetAll(),
          stop: async () => {
            unwatch();
            await freezes.stop();
            await ownLines.stop();
          },
        };
      },
    };
  },
});
