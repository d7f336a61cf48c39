/** Why our guest agent gave no result. */

/**
 * `silent`: no answer in time; `closed`: the channel is; `taken`: another program has it open; `version`: another protocol; `invalid`: an answer that is none;
 * `busy`: too much at once; `refused`: the agent says no, and why.
 */
export type AgentFailureReason = "silent" | "closed" | "taken" | "version" | "invalid" | "busy" | "refused";

/** A call to the guest agent that failed. Its message may have words of the guest's: they are no markup. */
export class AgentFailure extends Error {
  readonly reason: AgentFailureReason;
  /** The agent's own code (`AGENT_ERROR`), when it refused. */
  readonly code: number | undefined;

  constructor(
    reason: AgentFailureReason,
    message: string,
    options: { readonly code?: number; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "AgentFailure";
    this.reason = reason;
    this.code = options.code;
  }
}
