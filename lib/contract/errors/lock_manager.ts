/** Errors: libvirt's lock manager. */
import type { ErrorKind } from "./kind.ts";

export const LOCK_MANAGER_ERRORS = {
  LockManagerRefused: {
    text: "The lock manager was not changed: {reason}",
    status: 409,
    exit: 5,
  },
  LockManagerFailed: {
    text: "The lock manager could not be changed: {step} failed: {reason}. {state}",
    status: 502,
    exit: 1,
  },
} as const satisfies Record<string, ErrorKind>;
