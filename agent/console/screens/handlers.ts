/** The commands on screens and keyboards. */
import { LibvirtError } from "../../../ffi/error.ts";
import { type CommandName, ContractError, screenCommands } from "../../../lib/contract/mod.ts";
import { MOST_KEYS } from "../../../lib/contract/screens.ts";
import { chordOf } from "../../../lib/formats/keymaps/mod.ts";
import type { Handlers } from "../../dispatch.ts";
import { contractError } from "../../libvirt/failure.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { requireResponsive } from "../../hosts/responsive.ts";
import { protectScreens } from "./protect.ts";
import { Screens } from "./screens.ts";

type ScreenHandlers = Pick<Handlers, Extract<CommandName, keyof typeof screenCommands>>;

/** Milliseconds keys are held when nothing else is said: virsh's and virt-manager's guests take it as a short press. */
const HOLD_MS = 100;

/**
 * Whether libvirt, or QEMU through it, reports that a VM has no graphics card; neither has an error code for
 * it.
 */
const hasNoScreen = (error: unknown) =>
  error instanceof LibvirtError && error.kind === "libvirt" &&
  /no screens?|no console to take a screendump/i.test(error.message);

/** A handler for each command on screens. */
export function screenHandlers(host: LibvirtHost): ScreenHandlers {
  const { link, inventory } = host;
  const screens = new Screens((uuid, mostWidth) =>
    link.call("domainScreenshot", { uuid, ...(mostWidth !== undefined && { mostWidth }) })
  );
  const requireActive = async (vmId: string) => {
    const vm = host.requireVm(vmId);
    if (!inventory.active().includes(vm.id)) throw new ContractError("VmNotRunning");
    await requireResponsive(host, vm);
    return vm;
  };
  return {
    screenshot_vm: async ({ vmId, thumbnail = false }) => {
      const vm = await requireActive(vmId);
      try {
        const { png, width, height, takenAt } = await screens.get(vm.id, thumbnail);
        return { format: "image/png", width, height, takenAt, data: png.toBase64() };
      } catch (error) {
        if (hasNoScreen(error)) throw new ContractError("NoScreen", undefined, { cause: error });
        throw contractError(error, "ScreenshotFailed", "screenshot_vm");
      }
    },
    protect_screens: ({ vmId }) => protectScreens(host, vmId),
    send_keys: async ({ vmId, keys, holdMs = HOLD_MS }) => {
      const chord = chordOf(keys);
      if ("unknown" in chord) throw new ContractError("UnknownKey", { key: JSON.stringify(chord.unknown) });
      const { codes } = chord;
      if (codes.length > MOST_KEYS) {
        throw new ContractError("TooManyKeys", { n: codes.length, most: MOST_KEYS });
      }
      const vm = await requireActive(vmId);
      try {
        return await link.call("domainSendKeys", { uuid: vm.id, codes, holdMs });
      } catch (error) {
        throw contractError(error, "SendKeysFailed", "send_keys");
      }
    },
  };
}
