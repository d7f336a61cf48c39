/** Errors: cloud-init. */
import type { ErrorKind } from "./kind.ts";

export const CLOUD_INIT_ERRORS = {
  CloudInitNotSet: { text: "This VM has no cloud-init configuration", status: 409, exit: 5 },
  CloudInitFailed: { text: "Failed to write the cloud-init configuration: {error}", status: 502, exit: 1 },
  CloudInitUnreadable: {
    text: "The cloud-init configuration cannot be read from {path}: {error}",
    status: 502,
    exit: 1,
  },
} as const satisfies Record<string, ErrorKind>;
