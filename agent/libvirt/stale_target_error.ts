/** Calls that lost a race: what they are about was deleted or stopped by somebody else before libvirt carried them out. */
import { LibvirtError, VIR_ERR } from "../../ffi/error.ts";
import {
  type Command,
  type CommandName,
  COMMANDS,
  ContractError,
  type ErrorCode,
} from "../../lib/contract/mod.ts";

/** Reads of a host's VMs. */
export interface VmReads {
  /** Reads a VM again. @throws {LibvirtError} */
  refresh(vmId: string): Promise<unknown>;
  /** Ids of those that run. */
  active(): readonly string[];
}

/** The input's fields by name. */
type Fields = Readonly<Record<string, unknown>>;

/** libvirt's code for "there is no such thing" → the contract's error, of what a command's path names. */
function missing(code: number, path: string, fields: Fields): ContractError | undefined {
  const of = (place: string, error: ErrorCode, details: Fields) =>
    path.includes(place) ? new ContractError(error, details) : undefined;
  switch (code) {
    case VIR_ERR.NO_DOMAIN:
      return of("/{vmId}", "VmNotFound", { vmId: fields.vmId });
    case VIR_ERR.NO_NETWORK:
      return of("/networks/{name}", "NetworkNotFound", { network: fields.name }) ??
        of("/networks/{network}", "NetworkNotFound", { network: fields.network });
    case VIR_ERR.NO_STORAGE_POOL:
      return of("/{pool}", "StoragePoolNotFound", { pool: fields.pool });
    case VIR_ERR.NO_STORAGE_VOL:
      return of("/{volume}", "VolumeNotFound", { name: fields.volume, pool: fields.pool });
  }
}

/**
 * The error a caller is told: the contract's own where libvirt's means that somebody else was faster, the given one
 * otherwise.
 */
export async function staleTargetError(
  vms: VmReads,
  name: CommandName,
  input: unknown,
  error: ContractError,
): Promise<ContractError> {
  const { cause } = error;
  if (!(cause instanceof LibvirtError) || cause.kind !== "libvirt") return error;
  const { errors, route }: Command = COMMANDS[name];
  const fields = (input ?? {}) as Fields;
  const gone = missing(cause.code, route, fields);
  if (gone !== undefined && errors.includes(gone.code)) {
    return new ContractError(gone.code, gone.details, { cause });
  }
  const { vmId } = fields;
  const mayHaveStopped = cause.code === VIR_ERR.OPERATION_INVALID && typeof vmId === "string" &&
    errors.includes("VmNotRunning");
  if (!mayHaveStopped) return error;
  try {
    await vms.refresh(vmId);
  } catch (failure) {
    if (!(failure instanceof LibvirtError)) throw failure;
    return error; // it is not known
  }
  return vms.active().includes(vmId) ? error : new ContractError("VmNotRunning", undefined, { cause });
}
