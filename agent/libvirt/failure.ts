/** libvirt's errors → the contract's. */
import { LibvirtError, type RefusedFor, VIR_ERR } from "../../ffi/error.ts";
import { ContractError, type ErrorCode, errorText } from "../../lib/contract/errors.ts";
import { log } from "../log.ts";
import { unavailableText } from "./unavailable.ts";

/** Codes that mean the same whatever was asked. */
const BY_CODE: Readonly<Record<number, ErrorCode>> = {
  [VIR_ERR.ACCESS_DENIED]: "PermissionDenied",
  [VIR_ERR.AUTH_FAILED]: "PermissionDenied",
  [VIR_ERR.AUTH_CANCELLED]: "PermissionDenied",
  [VIR_ERR.AUTH_UNAVAILABLE]: "PermissionDenied",
  [VIR_ERR.NO_SUPPORT]: "NotSupported",
};

/**
 * Errors of objects that do not respond, by the kind of their key: code, and the field of its texts for the
 * object.
 */
const NOT_RESPONDING: Readonly<Record<string, readonly [ErrorCode, string?]>> = {
  vm: ["VmNotResponding"],
  pool: ["StoragePoolNotResponding", "pool"],
  network: ["NetworkNotResponding", "name"],
};

/** That something of a host does not respond. */
function notResponding({ key, since, call }: RefusedFor, cause: unknown): ContractError {
  const at = key.indexOf(":"), [code, field] = NOT_RESPONDING[key.slice(0, at)] ?? ["LibvirtNotResponding"];
  const named = field === undefined ? {} : { [field]: key.slice(at + 1) };
  return new ContractError(code, { ...named, since: new Date(since).toISOString(), call }, { cause });
}

/** Errors of libvirt without a remedy → the remedy. */
const REMEDIES: readonly (readonly [RegExp, string])[] = [
  // libvirt 9.0 that ends while it begins a backup waits for that backup for ever, also once the VM is off.
  [
    /\(held by (?:monitor|agent)=init-/,
    "libvirt has held this VM since it was restarted. Where that does not end by itself, it was restarted while it " +
    "began a backup: shut the VM down, restart libvirt (systemctl restart libvirtd), and start the VM again",
  ],
  // libvirt 9.0 that ends while it begins a merge or a copy keeps the mark of it, and has no job that could end it.
  [
    /already in active block job|domain has active block job/,
    "Where no copy or merge of the VM's disks is running (virsh blockjob shows none), libvirt was restarted while it " +
    "began one: shut the VM down, start it again, and repeat the command",
  ],
  // Of sanlock and of virtlockd
  [
    /Lease (?:is owned|is held|was acquired) by another host|Lockspace resource '[^']*' is locked/,
    "Another host, or another VM, has the lease of one of this VM's disks: shut that VM down first. Settings, Disk " +
    "leases, shows the hosts; docs/double-starts.md says what leaves a lease without a VM",
  ],
  [
    /open socket to sanlock daemon/,
    "Start sanlock (systemctl start sanlock), then restart libvirt (systemctl restart libvirtd)",
  ],
];

/**
 * Errors of libvirt and QEMU for a VM whose shared folders keep its state from being saved or sent: by
 * virtiofs all of them.
 */
const HELD_BY_SHARE = /non-migratable device.*vhost-user-fs|migration with virtiofs/i;
/** Of 9p, those that the guest has mounted. */
const HELD_BY_MOUNT = /VirtFS export path/i;

/** Whether a driver of libvirt does not have what was asked of it: the test driver lacks much. */
export const isUnsupported = (error: unknown): boolean =>
  error instanceof LibvirtError && error.code === VIR_ERR.NO_SUPPORT;

/** libvirt cannot change something in a running VM of this kind. */
const CANNOT_LIVE: ReadonlySet<number> = new Set([
  VIR_ERR.NO_SUPPORT,
  VIR_ERR.OPERATION_UNSUPPORTED,
  VIR_ERR.CONFIG_UNSUPPORTED,
  VIR_ERR.ARGUMENT_UNSUPPORTED,
]);

/** Whether a change of a running VM failed because libvirt cannot do it: it can wait for the next start then. */
export function cannotLive(error: unknown): boolean {
  return error instanceof LibvirtError && error.kind === "libvirt" && CANNOT_LIVE.has(error.code);
}

/** A program that was run failed; the message is its error output. */
export class ToolError extends Error {
  override readonly name = "ToolError";
}

/** Kind of failure of a call to libvirt; undefined for other errors. */
export function failureKind(error: unknown): LibvirtError["kind"] | undefined {
  if (error instanceof ContractError) return failureKind(error.cause);
  return error instanceof LibvirtError ? error.kind : undefined;
}

/** Whether a call has not returned in time, or was not made since what it is about does not respond. */
export const isHang = (error: unknown): boolean => ["timeout", "silent"].includes(failureKind(error) ?? "");

/** Whether libvirt did not answer: what was asked may be carried out all the same, and the rest can be done later. */
export function isConnectionLost(error: unknown): boolean {
  const kind = failureKind(error);
  return kind !== undefined && kind !== "libvirt";
}

/**
 * Turns what a libvirt call threw into an error of the contract.
 *
 * @param operation The command, as far as it is known here.
 * @param failed The code for "libvirt said no" in this place, filled with libvirt's text as `{error}`.
 */
export function contractError(
  error: unknown,
  failed: ErrorCode = "LibvirtFailed",
  operation?: string,
): unknown {
  const cause = { cause: error };
  if (error instanceof ToolError) return new ContractError(failed, { error: error.message }, cause);
  if (!(error instanceof LibvirtError)) return error;
  // Their texts name what was asked for: whoever knows that, at the latest the dispatch, tells it.
  if (operation === undefined && (error.kind === "timeout" || error.kind === "lost")) return error;
  switch (error.kind) {
    case "timeout": {
      const seconds = Number(error.message.match(/[\d.]+/)?.[0] ?? 0);
      return new ContractError("LibvirtTimeout", { seconds, operation }, cause);
    }
    case "lost":
      return new ContractError("ConnectionLost", { operation }, cause);
    case "busy":
      return new ContractError(
        "LibvirtBusy",
        { waiting: error.message.match(/\d+/)?.[0] ?? "several" },
        cause,
      );
    case "silent":
      return error.hang === undefined
        ? new ContractError("LibvirtNotResponding", undefined, { ...cause, message: error.message })
        : notResponding(error.hang, error);
    case "unavailable": {
      const message = unavailableText(error);
      const denied = message === errorText("PermissionDenied");
      return new ContractError(denied ? "PermissionDenied" : "LibvirtUnavailable", undefined, {
        ...cause,
        message,
      });
    }
    case "libvirt": {
      if (HELD_BY_SHARE.test(error.message)) return new ContractError("ShareHinders", undefined, cause);
      if (HELD_BY_MOUNT.test(error.message)) return new ContractError("ShareMounted", undefined, cause);
      const code = BY_CODE[error.code] ?? failed;
      const remedy = REMEDIES.find(([said]) => said.test(error.message))?.[1];
      return new ContractError(code, {
        error: remedy === undefined ? error.message : `${error.message}. ${remedy}`,
        libvirt: { code: error.code, domain: error.domain, level: error.level },
      }, cause);
    }
  }
}

/**
 * Any thrown value as an error of the contract. A fault of the program is logged in full, and reported in
 * short.
 *
 * @param operation The command, or the protocol if it is unknown.
 * @param what Subject of the log's text.
 */
export function asContractError(thrown: unknown, operation: string, what = "a command"): ContractError {
  const error = contractError(thrown, "LibvirtFailed", operation);
  if (error instanceof ContractError) return error;
  log.error(`${what} failed unexpectedly`, {
    command: operation,
    error,
    stack: error instanceof Error ? error.stack : undefined,
  });
  return new ContractError("Internal", undefined, { cause: error });
}
