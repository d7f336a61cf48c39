/** Content on calls: uploads piece by piece, downloads as fast as they are read. */
import { Buffer } from "node:buffer";
import { ContractError } from "../../lib/contract/errors.ts";
import type { Content, RequestBody } from "../dispatch.ts";
import type { Incoming } from "./incoming.ts";
import type { OutgoingMessages } from "./outgoing.ts";

/** Bytes of one message of a download. */
const PIECE = 64 * 1024;

/** A message of an upload: what is uploaded where, then its bytes. */
export interface UploadPart {
  readonly start?: unknown;
  readonly data?: Uint8Array;
}

/** The first message of an upload. @throws {ContractError} InvalidInput */
export async function uploadStart(
  incoming: Incoming,
  read: (message: Uint8Array) => UploadPart,
): Promise<unknown> {
  const message = await incoming.next();
  const { start } = message === null ? {} : read(message);
  if (start !== undefined) return start;
  throw new ContractError("InvalidInput", {
    reason: "the first message has start, what is sent and where to",
  });
}

/** The bytes of an upload, behind its first message. */
export function bodyOf(incoming: Incoming, read: (message: Uint8Array) => UploadPart): RequestBody {
  return {
    next: async () => {
      for (;;) {
        const message = await incoming.next();
        if (message === null) return null;
        const { data, start } = read(message);
        if (start !== undefined) {
          throw new ContractError("InvalidInput", { reason: "start comes once, in the first message" });
        }
        if (data !== undefined && data.length > 0) return data;
      }
    },
    interrupt: (reason) => incoming.interrupt(reason),
  };
}

/**
 * Sends a command's content: first its metadata, then its bytes.
 *
 * @param run carries the command out
 * @throws refusals of the command, and errors of its content
 */
export async function sendContent(
  outgoing: OutgoingMessages,
  write: (part: { readonly about: unknown } | { readonly data: Uint8Array }) => Buffer,
  run: (content: Content) => Promise<unknown>,
): Promise<void> {
  let content: ReadableStream<Uint8Array> | undefined;
  const about = await run({ answer: (stream) => content = stream, gone: outgoing.gone });
  if (!await outgoing.send(write({ about }))) return await content?.cancel();
  const reader = content?.getReader();
  if (reader === undefined) return;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      for (let at = 0; at < value.length; at += PIECE) {
        if (!await outgoing.send(write({ data: value.subarray(at, at + PIECE) }))) {
          return await reader.cancel();
        }
      }
    }
  } finally {
    reader.releaseLock();
  }
}
