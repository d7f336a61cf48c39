/** Errors as people should read them: why it failed, and what to do about it. */
import type { ErrorCode } from "../contract/errors.ts";
import { advice as texts } from "../i18n/en/advice.ts";
import { t, textsOf } from "../i18n/mod.ts";

const own = textsOf(texts);

/** An error made ready to show. */
export interface Failure {
  readonly code: string;
  readonly status: number;
  /** Why, in the server's words. */
  readonly why: string;
  /** Undefined if the reason says it already. */
  readonly advice: string | undefined;
  /** The VM whose QEMU log may tell more: its start failed. */
  readonly logOf?: string;
  /** The field of the input that it is about, where the server names one. */
  readonly field?: string;
  /** Everything known, for a bug report: to copy, not to read. */
  readonly details: string;
}

/** Code → what to do. The texts of the other codes say it themselves, or there is nothing to do. */
const ADVICE: Readonly<Partial<Record<ErrorCode | "Unreachable", () => string>>> = {
  Internal: () => t("advice.log"),
  LibvirtUnavailable: () => t("advice.libvirt"),
  LibvirtBusy: () => t("advice.libvirt"),
  VmNotFound: () => own.t("advice.gone"),
  VmAlreadyRunning: () => own.t("advice.stale"),
  VmNotRunning: () => own.t("advice.stale"),
  VmNotPaused: () => own.t("advice.stale"),
  StopFailed: () => own.t("advice.force"),
  RebootFailed: () => own.t("advice.force"),
  StartFailed: () => own.t("advice.start"),
  Forbidden: () => own.t("advice.role"),
  Unreachable: () => own.t("advice.unreachable"),
  NetworkNotFound: () => own.t("advice.reload"),
  BridgeNotFound: () => own.t("advice.reload"),
  HostInterfaceNotFound: () => own.t("advice.reload"),
  FilterNotFound: () => own.t("advice.reload"),
  StoragePoolNotFound: () => own.t("advice.reload"),
  VolumeNotFound: () => own.t("advice.reload"),
  DiskNotFound: () => own.t("advice.reload"),
  IsoNotFound: () => own.t("advice.reload"),
  NoSuchDisk: () => own.t("advice.reload"),
  NoSuchNic: () => own.t("advice.reload"),
  BootDeviceNotFound: () => own.t("advice.reload"),
  VmNameExists: () => own.t("advice.name"),
  VolumeExists: () => own.t("advice.name"),
  VmIdTaken: () => own.t("advice.uuid"),
  CreateFailed: () => own.t("advice.undone"),
  CloneFailed: () => own.t("advice.undone"),
  ImportFailed: () => own.t("advice.undone"),
  DiskCreateFailed: () => own.t("advice.space"),
  DiskExceedsPool: () => own.t("advice.space"),
  DiskInUse: () => own.t("advice.in_use"),
  MacInUse: () => own.t("advice.mac"),
  AttachFailed: () => own.t("advice.next_start"),
  DetachFailed: () => own.t("advice.next_start"),
  DisksMissing: () => own.t("advice.disks"),
  NotOnThisHost: () => own.t("advice.host"),
};

interface Known {
  code?: unknown;
  message?: unknown;
  status?: unknown;
  details?: unknown;
  toJSON?: () => { details?: unknown };
}

/** Details as they go over the wire. */
const plainDetails = (known: Known): unknown =>
  typeof known.toJSON === "function" ? known.toJSON().details : known.details;

/** Reads any thrown value: errors of the contract, of the client, of HTTP, of a batch's results, and bugs. */
export function failureOf(error: unknown): Failure {
  const known = (typeof error === "object" && error !== null ? error : {}) as Known;
  const cause = error instanceof Error ? error.cause : undefined;
  // A page's HttpError carries the contract's error as its cause.
  if (known.code === undefined && cause !== undefined && (cause as Known).code !== undefined) {
    return failureOf(cause);
  }
  const code = typeof known.code === "string" ? known.code : "Internal";
  const status = typeof known.status === "number" && known.status > 0 ? known.status : 500;
  const why = typeof known.message === "string" ? known.message : String(error);
  const { field, vmId } = (typeof known.details === "object" ? known.details : null) as
    | { field?: unknown; vmId?: unknown }
    | null ?? {};
  return {
    code,
    status,
    why,
    ...((code === "StartFailed" || code === "ContinueFailed") && typeof vmId === "string" && { logOf: vmId }),
    advice: Object.hasOwn(ADVICE, code) ? ADVICE[code as keyof typeof ADVICE]?.() : undefined,
    ...(typeof field === "string" && { field }),
    details: JSON.stringify({ code, message: why, details: plainDetails(known) }, null, 2),
  };
}
