/** A VM's screen as a picture, and keys pressed on its keyboard. */
import Type, { type Static } from "typebox";
import { command } from "./command.ts";
import { DeviceApplied } from "./devices.ts";
import { closed, NOTHING_OUT, Timestamp, VmId } from "./schema.ts";

/** Most keys libvirt presses at once: `VIR_DOMAIN_SEND_KEY_MAX_KEYS`. */
export const MOST_KEYS = 16;

/** Pixels a thumbnail is wide at most. */
export const THUMBNAIL_WIDTH = 320;
/** Milliseconds a picture of a screen is given to everybody who asks, before another is taken. */
export const SCREENSHOT_MS = 4000;

export const Screenshot = Type.Object({
  format: Type.Unsafe<"image/png">({ type: "string", const: "image/png" }),
  width: Type.Integer({ description: "pixels" }),
  height: Type.Integer(),
  takenAt: Timestamp,
  data: Type.String({ description: "the picture in base64; GET …/screenshot.png gives it as it is" }),
});
export type Screenshot = Static<typeof Screenshot>;

export const screenCommands = {
  screenshot_vm: command({
    summary: "Take a picture of a VM's screen",
    description: `A picture may be up to ${SCREENSHOT_MS / 1000} seconds old: however many ask, ` +
      "the screen is not read more often.",
    role: "operator",
    input: closed({
      vmId: VmId,
      thumbnail: Type.Optional(
        Type.Boolean({ default: false, description: `at most ${THUMBNAIL_WIDTH} pixels wide` }),
      ),
    }),
    output: Screenshot,
    errors: ["VmNotFound", "VmNotRunning", "NoScreen", "ScreenshotFailed"],
    route: "GET /vms/{vmId}/screenshot",
    cli: ["vm", "screenshot", "<vmId>"],
    file: { field: "data", base64: true },
    examples: ["kvm-manager vm screenshot web1 --out web1.png", "kvm-manager vm screenshot web1 > web1.png"],
    readOnly: true,
  }),
  protect_screens: command({
    summary: "Give a VM's VNC and SPICE screens passwords",
    description:
      "Random ones, new at each start; a password that somebody chose is replaced. The console, get_vnc_info and " +
      "get_viewer_file give the present one. A screen that runs without a password gets one when QEMU is started " +
      "again: shut the VM down and start it, or suspend and start it.",
    role: "operator",
    input: closed({ vmId: VmId }),
    output: DeviceApplied,
    errors: ["VmNotFound", "VmNotPersistent", "NoScreen", "UpdateFailed"],
    route: "POST /vms/{vmId}/protect-screens",
    cli: ["vm", "protect-screens", "<vmId>"],
    readOnly: false,
  }),
  send_keys: command({
    summary: "Press keys on a VM's keyboard",
    description: "All keys are pressed together and let go together. A key is named as Linux names it " +
      "(KEY_LEFTCTRL, leftctrl) or as people do (ctrl, del, win); several can be joined: ctrl+alt+delete.",
    role: "operator",
    input: closed({
      vmId: VmId,
      keys: Type.Array(Type.String({ minLength: 1, maxLength: 128 }), { minItems: 1, maxItems: MOST_KEYS }),
      holdMs: Type.Optional(
        Type.Integer({ minimum: 0, maximum: 10_000, default: 100, description: "how long they are held" }),
      ),
    }),
    output: NOTHING_OUT,
    errors: ["VmNotFound", "VmNotRunning", "UnknownKey", "TooManyKeys", "SendKeysFailed"],
    route: "POST /vms/{vmId}/keys",
    cli: ["vm", "keys", "<vmId>", "<keys...>"],
    examples: ["kvm-manager vm keys web1 ctrl alt del"],
    readOnly: false,
  }),
};
