/** A machine's screen as a picture, and keys pressed on its keyboard. */
import Type, { type Static } from "typebox";
import { MOST_KEYS } from "../keys/mod.ts";
import { command } from "./command.ts";
import { closed, NOTHING_OUT, Timestamp, VmId } from "./schema.ts";

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
    readOnly: true,
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
    readOnly: false,
  }),
};
