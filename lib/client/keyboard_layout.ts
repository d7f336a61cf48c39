/** The keyboard that a VM's system is set to, as its person has chosen it: what is typed as text presses its keys. */
import { LAYOUTS } from "../formats/keymaps/layouts.ts";
import type { Layout } from "../formats/rfb/keys.ts";
import { storeChoice, storedChoice } from "./local_storage.ts";

/** The keyboards there are. */
export const KEYBOARDS = Object.keys(LAYOUTS) as Layout[];

/** The keyboard that was chosen, US if none was. */
export const chosenKeyboard = (): Layout => storedChoice("keyboard", KEYBOARDS, "us");

/** Keeps the choice. */
export const chooseKeyboard = (layout: Layout): void => storeChoice("keyboard", layout);
