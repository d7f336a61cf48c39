/** Errors as people should read them: why it failed, and what to do about it. */
import type { ErrorCode } from "../contract/errors.ts";
import { type PlainKey, t } from "../i18n/mod.ts";

/** An error made ready to show. */
export interface Failure {
  readonly code: string;
  readonly status: number;
  /** Why, in the server's words. */
  readonly why: string;
  /** What to do; undefined where the reason says it already. */
  readonly advice: string | undefined;
  /** Everything known, for a bug report: to copy, not to read. */
  readonly details: string;
}

/** Code → what to do. The texts of the other codes say it themselves, or there is nothing to do. */
const ADVICE: Readonly<Partial<Record<ErrorCode | "Unreachable", PlainKey>>> = {
  VmNotFound: "advice.gone",
  VmAlreadyRunning: "advice.stale",
  VmNotRunning: "advice.stale",
  VmNotPaused: "advice.stale",
  StopFailed: "advice.force",
  RebootFailed: "advice.force",
  StartFailed: "advice.start",
  LibvirtUnavailable: "advice.libvirt",
  LibvirtBusy: "advice.libvirt",
  Forbidden: "advice.role",
  Internal: "advice.log",
  Unreachable: "advice.unreachable",
};

interface Known {
  code?: unknown;
  message?: unknown;
  status?: unknown;
  details?: unknown;
}

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
  const key = Object.hasOwn(ADVICE, code) ? ADVICE[code as keyof typeof ADVICE] : undefined;
  return {
    code,
    status,
    why,
    advice: key && t(key),
    details: JSON.stringify({ code, message: why, details: known.details }, null, 2),
  };
}
