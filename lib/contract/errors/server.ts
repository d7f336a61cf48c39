/** Errors: KVM Manager itself. */
import type { ErrorKind } from "./kind.ts";

export const SERVER_ERRORS = {
  MetricsUnavailable: { text: "Metrics cannot be read: {reason}", status: 503, exit: 3 },
  MetricsNotSent: { text: "The metrics were not sent: {reason}", status: 502, exit: 1 },
  StoreUnavailable: {
    text:
      "The database cannot be used: {reason}. VMs can still be controlled; what was done is not recorded.",
    status: 503,
    exit: 3,
  },
  EncryptionKeyMissing: {
    text:
      "The secret cannot be kept, because there is no key to seal it with: {reason}. Put the key back and restart KVM Manager, or make a new one: kvm-manager credential rotate encryption-key.",
    status: 503,
    exit: 3,
  },
  SecretUnreadable: {
    text:
      "The {what} cannot be read: {reason}. Put the key back in {file} and restart KVM Manager, or {remedy}.",
    status: 409,
    exit: 5,
  },
  TooManyRequests: {
    text: "Too many {what} at once (limit {limit}). Try again shortly.",
    status: 429,
    exit: 3,
  },
  Internal: {
    text: "Something went wrong inside KVM Manager. The log has the details.",
    status: 500,
    exit: 1,
  },
} as const satisfies Record<string, ErrorKind>;
