/** Errors: VMs as a whole: their XML and copies. */
import type { ErrorKind } from "./kind.ts";

export const MANAGE_ERRORS = {
  VmIdTaken: { text: "A VM with this UUID exists already: {name} ({id})", status: 409, exit: 5 },
  VmIdInBin: {
    text:
      "The bin has the VM with this UUID: {name} ({id}). Restore it from there, delete it there permanently, or give this one a new UUID (newId).",
    status: 409,
    exit: 5,
  },
  VmMustBeOff: { text: "VM must be shut down for this ({state} now)", status: 409, exit: 5 },
  XmlInvalid: { text: "Invalid XML: {error}", status: 400, exit: 2 },
  XmlIdentity: {
    text: "The XML must keep the VM's {what} ({is}). Use rename or clone to change it.",
    status: 400,
    exit: 2,
  },
  XmlChanged: {
    text: "Somebody else changed this VM meanwhile. Nothing was saved: load the new version first.",
    status: 409,
    exit: 5,
  },
  NvramLeft: {
    text:
      "The UEFI variables of an earlier VM named {name} are still there, and this VM would begin with its boot entries and " +
      "keys: {path}. Choose another name, or move that file away.",
    status: 409,
    exit: 5,
  },
  MemoryLeft: {
    text:
      "The saved memory of an earlier VM named {name} is still there, and this VM could not start with it: {path}. Choose " +
      "another name, or move that file away.",
    status: 409,
    exit: 5,
  },
  RenameFailed: { text: "Failed to rename VM: {error}", status: 502, exit: 1 },
} as const satisfies Record<string, ErrorKind>;
