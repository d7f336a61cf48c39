/** Failures of our agent as the contract has them. */
import { LibvirtError } from "../../../ffi/error.ts";
import { ContractError, type ErrorCode } from "../../../lib/contract/mod.ts";
import { AGENT_ERROR } from "../../../lib/guest/protocol.ts";
import {
  type BlockedReason,
  FROZEN,
  LINE_TAKEN,
  methodNotOffered,
  OTHER_VERSION,
  OWN_NOT_INSTALLED,
} from "../../../lib/guest/remedies.ts";
import { toldText } from "../../../lib/guest/told.ts";
import { contractError } from "../../libvirt/failure.ts";
import { AgentFailure } from "./failure.ts";
import { message } from "../../../lib/i18n/message.ts";

/** Subject of a call, for its error. */
export interface Subject {
  readonly method: string;
  readonly path?: string;
  readonly command?: string;
}

const unavailable = (hindrance: BlockedReason): [ErrorCode, Record<string, unknown>] => [
  "GuestUnavailable",
  { ...hindrance },
];

/** Refusal of the agent as an error. */
function refusal(
  code: number | undefined,
  error: string,
  { method, path, command }: Subject,
): [ErrorCode, Record<string, unknown>?] {
  switch (code) {
    case AGENT_ERROR.Denied:
      if (path !== undefined) return ["GuestFileDenied", { path, error }];
      return command !== undefined ? ["GuestRefused", { error }] : unavailable(methodNotOffered(method));
    case AGENT_ERROR.MethodNotFound:
    case AGENT_ERROR.Unsupported:
      return unavailable(methodNotOffered(method));
    case AGENT_ERROR.Frozen:
      return unavailable(FROZEN);
    case AGENT_ERROR.Busy:
      return ["GuestBusy"];
    case AGENT_ERROR.TimedOut:
      return ["GuestSilent"];
    case AGENT_ERROR.ChecksumMismatch:
      return ["GuestCopyFailed", { error: "the guest has written something else" }];
    case AGENT_ERROR.NotFound:
      if (command !== undefined) return ["GuestProgramNotFound", { command, error }];
      return path !== undefined ? ["GuestFileNotFound", { path }] : ["GuestRefused", { error }];
    case AGENT_ERROR.InvalidParams:
      return path !== undefined ? ["GuestFileDenied", { path, error }] : ["GuestRefused", { error }];
    default:
      return path !== undefined ? ["GuestFileDenied", { path, error }] : ["GuestRefused", { error }];
  }
}

/** Error of the contract for a failed call; errors that are not the agent's stay as they are. */
export function ownFailure(thrown: unknown, subject: Subject): unknown {
  if (thrown instanceof LibvirtError) return contractError(thrown, "GuestRefused", subject.method);
  if (!(thrown instanceof AgentFailure)) return thrown;
  const { reason, code } = thrown, error = toldText(thrown.message, 512);
  const cause = { cause: thrown };
  switch (reason) {
    case "silent":
      return new ContractError("GuestSilent", undefined, cause);
    case "busy":
      return new ContractError("GuestBusy", undefined, cause);
    case "closed":
      return new ContractError("GuestUnavailable", { ...OWN_NOT_INSTALLED }, cause);
    case "taken":
      return new ContractError("GuestUnavailable", { ...LINE_TAKEN }, cause);
    case "version":
      return new ContractError("GuestUnavailable", { ...OTHER_VERSION }, cause);
    case "invalid":
      return new ContractError(
        "GuestRefused",
        { error: message`its answer makes no sense: ${error}` },
        cause,
      );
    case "refused": {
      const [name, details] = refusal(code, error, subject);
      return new ContractError(name, details, cause);
    }
  }
}
