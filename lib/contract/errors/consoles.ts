/** Errors: screens and keys. */
import type { ErrorKind } from "./kind.ts";

export const CONSOLE_ERRORS = {
  NoScreen: {
    text: "VM has no screen. Give it a graphics card, or use its serial console.",
    status: 409,
    exit: 5,
  },
  ScreenshotFailed: { text: "Failed to take a picture of the screen: {error}", status: 502, exit: 1 },
  UnknownKey: {
    text: "Unknown key: {key}. Use Linux key names (KEY_ENTER) or ctrl, alt, shift, win, del, esc, f1, …",
    status: 400,
    exit: 2,
  },
  TooManyKeys: { text: "Too many keys at once: {n} (at most {most})", status: 400, exit: 2 },
  SendKeysFailed: { text: "Failed to send keys: {error}", status: 502, exit: 1 },
} as const satisfies Record<string, ErrorKind>;
