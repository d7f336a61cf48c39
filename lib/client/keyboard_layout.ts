/** The keyboard that a VM's system is set to, as its person has chosen it: what is typed as text presses its keys. */
import { LAYOUTS } from "../formats/keymaps/layouts.ts";
import type { KeyboardLayout } from "../formats/rfb/keys.ts";
import { storeChoice, storedChoice } from "./local_storage.ts";

/** The keyboards there are. */
export const KEYBOARDS = Object.keys(LAYOUTS) as KeyboardLayout[];

/** The keyboard that was chosen, US if none was. */
export const chosenKeyboard = (): KeyboardLayout => storedChoice("keyboard", KEYBOARDS, "us");

/** Keeps the choice. */
export const chooseKeyboard = (layout: KeyboardLayout): void => storeChoice("keyboard", layout);
