/** libvirt's errors as JavaScript errors. */
import { messageOf } from "../lib/text/message.ts";
import { readString } from "./memory.ts";

/** Numbers of `virErrorNumber` (virterror.h) that are told apart above `ffi/`. */
export const VIR_ERR = {
  INTERNAL: 1,
  NO_SUPPORT: 3,
  INVALID_ARG: 8,
  OPERATION_FAILED: 9,
  NO_DOMAIN: 42,
  NO_NETWORK: 43,
  AUTH_FAILED: 45,
  NO_STORAGE_POOL: 49,
  NO_STORAGE_VOL: 50,
  NO_NODE_DEVICE: 53,
  NO_SECRET: 66,
  STORAGE_VOL_EXIST: 90,
  CPU_INCOMPATIBLE: 91,
  RPC: 39,
  SYSTEM: 38,
  OPERATION_INVALID: 55,
  OPERATION_TIMEOUT: 68,
  AUTH_CANCELLED: 79,
  AUTH_UNAVAILABLE: 94,
  OPERATION_UNSUPPORTED: 84,
  AGENT_UNRESPONSIVE: 86,
  RESOURCE_BUSY: 87,
  ACCESS_DENIED: 88,
  CONFIG_UNSUPPORTED: 67,
  NO_DOMAIN_SNAPSHOT: 72,
  NO_DOMAIN_CHECKPOINT: 103,
  NO_DOMAIN_BACKUP: 104,
  SNAPSHOT_REVERT_RISKY: 77,
  BLOCK_COPY_ACTIVE: 83,
  ARGUMENT_UNSUPPORTED: 74,
} as const;

/** Numbers of `virErrorDomain` that matter above `ffi/`. */
export const VIR_FROM = { RPC: 7, POLKIT: 60 } as const;

/**
 * Why a call failed on our side of libvirt, when it is not libvirt that said no. `silent`: it was not made, for what it is
 * about does not respond.
 */
export type FailureKind = "libvirt" | "timeout" | "lost" | "unavailable" | "busy" | "silent";

/** Object that does not respond, because of which a call was refused: see `call_gate.ts`. */
export interface RefusedFor {
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly call: string;
}

/**
 * Why signing in failed. `needed`: libvirt asks for a user and a password, and there is none; `refused`: it takes those that
 * were given for wrong; `ticket`: it lets in by Kerberos, of which there is no ticket that it takes; `impossible`: this version
 * supports none of its ways of signing in.
 */
export type SignInFailure = "needed" | "refused" | "ticket" | "impossible";

/** The plain shape in which an error crosses from a worker. */
export interface LibvirtFailure {
  readonly kind: FailureKind;
  readonly code: number;
  readonly domain: number;
  readonly level: number;
  readonly message: string;
  readonly hang?: RefusedFor;
  readonly signIn?: SignInFailure;
}

/** An error of libvirt: its code, the part of libvirt it comes from, its level (1 warning, 2 error) and its text. */
export class LibvirtError extends Error {
  override readonly name = "LibvirtError";
  readonly kind: FailureKind;
  readonly code: number;
  readonly domain: number;
  readonly level: number;
  /** Of kind `silent`. */
  readonly hang: RefusedFor | undefined;
  /** Of a connection that was not made. */
  readonly signIn: SignInFailure | undefined;

  constructor(failure: Partial<LibvirtFailure> & { message: string }) {
    super(failure.message);
    this.kind = failure.kind ?? "libvirt";
    this.code = failure.code ?? VIR_ERR.INTERNAL;
    this.domain = failure.domain ?? 0;
    this.level = failure.level ?? 2;
    this.hang = failure.hang;
    this.signIn = failure.signIn;
  }

  /** The plain shape for `postMessage`. */
  toFailure(): LibvirtFailure {
    return {
      kind: this.kind,
      code: this.code,
      domain: this.domain,
      level: this.level,
      message: this.message,
      ...(this.hang && { hang: this.hang }),
      ...(this.signIn && { signIn: this.signIn }),
    };
  }
}

/** Failure that a worker reports for a thrown value. */
export function libvirtFailure(thrown: unknown): LibvirtFailure {
  if (thrown instanceof LibvirtError) return thrown.toFailure();
  return new LibvirtError({ message: messageOf(thrown) }).toFailure();
}

/**
 * Reads `struct _virError` (virterror.h): int code @0, int domain @4, char *message @8, int level @16.
 * Must run on the thread of the failed call, right after it: the error is thread-local.
 */
export function readError(error: Deno.PointerValue): LibvirtError {
  if (error === null) return new LibvirtError({ message: "libvirt failed without saying why" });
  const view = new Deno.UnsafePointerView(error);
  return new LibvirtError({
    code: view.getInt32(0),
    domain: view.getInt32(4),
    message: readString(view.getPointer(8)) || "libvirt failed without saying why",
    level: view.getInt32(16),
  });
}
