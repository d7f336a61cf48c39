/** Protocol between host and guest agent: guest/PROTOCOL.md in code. Pure. */

export { OWN_AGENT_CHANNEL as AGENT_CHANNEL } from "../formats/xml/channel.ts";

/** Versions of the protocol that this host speaks. */
export const PROTOCOL_MIN = 1, PROTOCOL_MAX = 1;

/** Bytes of a line, without its end, in either direction. */
export const MAX_LINE = 512 * 1024;

/** Bytes of a file, of input or of output in one message. */
export const MAX_CHUNK = 256 * 1024;

/** Chunks of a file that are under way at a time: the agent takes eight. */
export const CHUNKS_AHEAD = 4;

/** Codes of errors that an agent answers with. */
export const AGENT_ERROR = {
  ParseError: -32700,
  InvalidRequest: -32600,
  MethodNotFound: -32601,
  InvalidParams: -32602,
  InternalError: -32603,
  Failed: -32000,
  NoCommonVersion: -32001,
  Denied: -32002,
  TimedOut: -32003,
  Busy: -32004,
  Unsupported: -32005,
  NotFound: -32006,
  Frozen: -32007,
  TooLarge: -32008,
  Cancelled: -32009,
  ChecksumMismatch: -32010,
} as const;

/** Whether this host can speak with an agent of these versions. */
export const speaksWith = (agent: { readonly protocol_version: number }): boolean =>
  agent.protocol_version >= PROTOCOL_MIN && agent.protocol_version <= PROTOCOL_MAX;
