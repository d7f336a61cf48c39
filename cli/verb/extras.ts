/**
 * Command line functions outside the contract: they ask the server, read files and make several fields of one option.
 * Data (other words, places, examples) are in the contract's row. One table a noun; parsing, help, completion and man
 * page read the same rows.
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
