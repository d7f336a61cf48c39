/** Errors: the bin. */
import type { ErrorKind } from "./kind.ts";

export const BIN_ERRORS = {
  BinEntryNotFound: { text: "Not in the bin: {entryId}", status: 404, exit: 4 },
  BinNameTaken: {
    text: "{what} is there already: {name}. Restore it under another name, like {free}.",
    status: 409,
    exit: 5,
  },
  BinRestoreFailed: { text: "It cannot be restored: {reason}", status: 409, exit: 5 },
  BinDeleteFailed: { text: "Failed to delete from the bin: {path} - {error}", status: 502, exit: 1 },
  BinEntryInUse: {
    text: "{name} cannot be deleted from the bin: {vm} uses {path}. Restore {name}, or end that use first.",
    status: 409,
    exit: 5,
  },
  BinNotEmpty: {
    text: "The bin keeps {n} of the storage pool {pool}: {names}. Restore or delete that first.",
    status: 409,
    exit: 5,
  },
} as const satisfies Record<string, ErrorKind>;
