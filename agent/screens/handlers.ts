/** The commands on screens and keyboards. */
import { LibvirtError, VIR_ERR } from "../../ffi/error.ts";
import { type CommandName, ContractError, screenCommands } from "../../lib/contract/mod.ts";
import { chordOf, MOST_KEYS } from "../../lib/keys/mod.ts";
import type { Handlers } from "../dispatch.ts";
import { contractError } from "../libvirt/failure.ts";
import type { VmServices } from "../vm/services.ts";
import { Screens } from "./screens.ts";

type ScreenHandlers = Pick<Handlers, Extract<CommandName, keyof typeof screenCommands>>;

/** Milliseconds keys are held when nothing else is said: virsh's and virt-manager's guests take it as a short press. */
const HOLD_MS = 100;

/** libvirt's word for a machine without a graphics card, which has no code of its own. */
const hasNoScreen = (error: unknown) =>
  error instanceof LibvirtError && error.code === VIR_ERR.OPERATION_INVALID &&
  /no screens?/i.test(error.message);

/** A handler for each command on screens. */
export function screenHandlers(services: VmServices): ScreenHandlers {
  const { link, inventory } = services;
  const screens = new Screens((uuid, mostWidth) =>
    link.call("domainScreenshot", { uuid, ...(mostWidth !== undefined && { mostWidth }) })
  );
  const requireActive = (vmId: string) => {
    const vm = services.requireVm(vmId);
    if (!inventory.active().includes(vm.id)) throw new ContractError("VmNotRunning");
    return vm;
  };
  return {
    screenshot_vm: async ({ vmId, thumbnail = false }) => {
      const vm = requireActive(vmId);
      try {
        const { png, width, height, takenAt } = await screens.get(vm.id, thumbnail);
        return { format: "image/png", width, height, takenAt, data: png.toBase64() };
      } catch (error) {
        if (hasNoScreen(error)) throw new ContractError("NoScreen", undefined, { cause: error });
        throw contractError(error, "ScreenshotFailed", "screenshot_vm");
      }
    },
    send_keys: async ({ vmId, keys, holdMs = HOLD_MS }) => {
      const chord = chordOf(keys);
      if ("unknown" in chord) throw new ContractError("UnknownKey", { key: JSON.stringify(chord.unknown) });
      const { codes } = chord;
      if (codes.length > MOST_KEYS) {
        throw new ContractError("TooManyKeys", { n: codes.length, most: MOST_KEYS });
      }
      const vm = requireActive(vmId);
      try {
        return await link.call("domainSendKeys", { uuid: vm.id, codes, holdMs });
      } catch (error) {
        throw contractError(error, "SendKeysFailed", "send_keys");
      }
    },
  };
}
