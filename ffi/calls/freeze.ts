/** Freezing and thawing a guest's file systems through its agent, which may hang. */
import type { Handle } from "../connection.ts";
import { libvirt, ok } from "../library.ts";
import { messageOf } from "../../lib/text/message.ts";

/** Seconds the guest agent may take to freeze or thaw file systems; Windows' shadow copies take longest. */
export const FREEZE_CALL_SECONDS = 60;
/**
 * `VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_DEFAULT`: 5 seconds. Not `…_BLOCK`, with which a domain begins: the limit is the domain's,
 * whoever calls, and an agent that answers a sync and nothing else would hold the domain for ever.
 */
const AGENT_DEFAULT = -1;

/** Runs calls to the guest agent, which has so many seconds for each: one that hangs does not hold the domain for ever. */
export function withAgentLimit<T>(
  { pointer }: Pick<Handle, "pointer">,
  run: () => T,
  seconds = FREEZE_CALL_SECONDS,
): T {
  const { symbols } = libvirt();
  symbols.virDomainAgentSetResponseTimeout?.(pointer, seconds, 0);
  try {
    return run();
  } finally {
    symbols.virDomainAgentSetResponseTimeout?.(pointer, AGENT_DEFAULT, 0);
  }
}

/** Freezes a guest's file systems. @returns why it did not; undefined when it did. Source: virDomainFSFreeze */
export function freeze({ pointer }: Handle): string | undefined {
  try {
    ok(libvirt().symbols.virDomainFSFreeze(pointer, null, 0, 0));
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** Thaws them; nothing happens to what is not frozen. @returns why it did not. Source: virDomainFSThaw */
export function thaw({ pointer }: Handle): string | undefined {
  try {
    ok(libvirt().symbols.virDomainFSThaw(pointer, null, 0, 0));
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
