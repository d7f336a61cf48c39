/**
 * What the command line does beside the contract's row, and only it can: it asks the server, reads files and makes
 * several fields of one option. What is data (other words, places, examples) is in the row. One table a noun; parsing,
 * help, completion and man page read the same rows.
 */
import type { CommandName } from "../../lib/contract/mod.ts";
import { BIN_EXTRAS } from "./bin.ts";
import { CREATE_EXTRAS } from "./create.ts";
import { NETWORK_EXTRAS } from "./network.ts";
import { VM_EXTRAS } from "./vm.ts";
import type { ExtrasTable, VerbExtras } from "./verb_extras.ts";
import { VOLUME_EXTRAS } from "./volume.ts";

const EXTRAS: ExtrasTable = {
  ...VM_EXTRAS,
  ...CREATE_EXTRAS,
  ...VOLUME_EXTRAS,
  ...NETWORK_EXTRAS,
  ...BIN_EXTRAS,
};

/** The row of a command; an empty one where it has none. */
export const extrasOf = (name: CommandName): VerbExtras => EXTRAS[name] ?? {};
