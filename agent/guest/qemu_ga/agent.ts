/** Talking to QEMU's guest agent: one question at a time, bounded in time and size, and its failures as the contract has them. */
import type { Static, TSchema } from "typebox";
import type { CallArgs, CallName, CallResult } from "../../../ffi/calls/mod.ts";
import { LibvirtError, VIR_ERR } from "../../../ffi/error.ts";
import { ContractError, type VM } from "../../../lib/contract/mod.ts";
import { NOT_INSTALLED, switchedOff } from "../../../lib/guest/remedies.ts";
import { toldText } from "../../../lib/guest/told.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { contractError } from "../../libvirt/failure.ts";
import type { GuestLines } from "../guest_lines.ts";
import { checked } from "./answers.ts";

/** Seconds for an answer. A guest that works hard takes some; what takes longer hangs. */
const ANSWER_SECONDS = 10;
/** Characters of an answer that is no content. */
const MOST_CHARACTERS = 512 * 1024;

/**
 * Characters of a question. QEMU's agent and libvirt 9.0 never come to the end of one with more than about 250,000:
 * the agent answers nothing any more until it is started again.
 */
const MOST_ASKED = 180_000;

/** Commands on a guest that libvirt has calls of its own for. */
type GuestCall = Extract<
  CallName,
  | "guestInfo"
  | "domainFreeze"
  | "domainThaw"
  | "guestSetTime"
  | "guestSetPassword"
  | "guestSshKeys"
  | "guestChangeSshKeys"
>;

/** The agent's own words, out of libvirt's sentence. */
function ownWords(message: string): string {
  const [, said] = /error was '(.*)'$/s.exec(message) ?? [];
  return toldText(said ?? message.replace(/^[^:]*: (?=unable to execute)/, ""), 512);
}

/** Error of the contract for a failed call of an agent. */
export function agentFailure(error: unknown, command: string): unknown {
  if (!(error instanceof LibvirtError) || error.kind === "lost" || error.kind === "unavailable") return error;
  const cause = { cause: error };
  if (error.kind === "timeout" || error.kind === "busy") {
    return new ContractError("GuestSilent", undefined, cause);
  }
  const { code, message } = error;
  if (/agent is not (connected|configured)/i.test(message)) {
    return new ContractError("GuestUnavailable", { ...NOT_INSTALLED }, cause);
  }
  if (code === VIR_ERR.AGENT_UNRESPONSIVE || code === VIR_ERR.OPERATION_TIMEOUT) {
    return new ContractError("GuestSilent", undefined, cause);
  }
  if (/has been disabled|is not found|command .* not found/i.test(message)) {
    return new ContractError("GuestUnavailable", { ...switchedOff(command) }, cause);
  }
  const told = contractError(error, "GuestRefused", command);
  return told instanceof ContractError && told.code === "GuestRefused"
    ? new ContractError("GuestRefused", { error: ownWords(message) }, cause)
    : told;
}

export class QemuAgent {
  constructor(private readonly host: LibvirtHost, private readonly lines: GuestLines) {}

  /**
   * Asks by the agent's own protocol.
   *
   * @param most characters of the answer
   * @throws {ContractError} GuestUnavailable, GuestSilent, GuestBusy, GuestRefused
   */
  async ask<S extends TSchema>(
    { id: uuid }: VM,
    execute: string,
    schema: S,
    args?: Readonly<Record<string, unknown>>,
    { most = MOST_CHARACTERS, seconds = ANSWER_SECONDS }: { most?: number; seconds?: number } = {},
  ): Promise<Static<S>> {
    const command = JSON.stringify({ execute, ...(args !== undefined && { arguments: args }) });
    if (command.length > MOST_ASKED) {
      const reason = "arguments and input are more than the guest agent takes at once, about 128 KiB. " +
        "Copy a file into the guest, and have it read there";
      throw new ContractError("InvalidInput", { reason });
    }
    const answer = await this.lines.ask(uuid, async () => {
      try {
        return await this.host.link.call("agentCommand", { uuid, command, seconds, most });
      } catch (error) {
        throw agentFailure(error, execute);
      }
    });
    return checked(schema, answer, execute);
  }

  /** Has libvirt ask. @throws {ContractError} as `ask` does */
  async call<N extends GuestCall>(
    { id: uuid }: VM,
    name: N,
    args: Omit<CallArgs<N>, "uuid">,
    always = false,
  ): Promise<CallResult<N>> {
    return await this.lines.ask(uuid, async () => {
      try {
        const call = this.host.link.call.bind(this.host.link) as (
          name: N,
          args: unknown,
        ) => Promise<CallResult<N>>;
        return await call(name, { ...args, uuid });
      } catch (error) {
        throw agentFailure(error, name);
      }
    }, always);
  }
}
