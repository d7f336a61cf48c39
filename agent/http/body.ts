/** Request bodies: bounded in size and time, JSON alone. */
import { ContractError } from "../../lib/contract/errors.ts";
import { parseJson } from "../../lib/text/json.ts";

/** Bytes of the largest body of a command. */
export const BODY_LIMIT = 1024 * 1024;
/** … of one from an anonymous caller: a sign-in is small, and all else would cost time for nothing. */
export const ANONYMOUS_BODY_LIMIT = 16 * 1024;
/** Seconds a body may take to arrive. */
export const BODY_SECONDS = 15;

/**
 * Refuses a body with a coding around it: nothing here takes one off, and what is inside would be misread.
 *
 * @throws {ContractError} EncodedBody
 */
export function requireUnencoded(headers: Headers): void {
  for (const [name, plain] of [["content-encoding", "identity"], ["transfer-encoding", "chunked"]] as const) {
    const coding = headers.get(name)?.trim().toLowerCase();
    if (coding === undefined || coding === plain) continue;
    throw new ContractError("EncodedBody", { header: `${name}: ${coding.slice(0, 64)}` });
  }
}

/**
 * Reads a body as text, counting while it arrives.
 *
 * @throws {ContractError} BodyTooLarge, BodyTimeout; InvalidInput when the client goes away in the middle
 */
export async function readBody(
  request: Request,
  limit = BODY_LIMIT,
  seconds = BODY_SECONDS,
): Promise<string> {
  const announced = Number(request.headers.get("content-length") ?? 0);
  if (announced > limit) throw new ContractError("BodyTooLarge", { limit });
  if (!request.body) return "";
  const reader = request.body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    reader.cancel().catch(() => {/* the connection is gone already: nothing is left to cancel */});
  }, seconds * 1000);
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause) => {
        throw new ContractError("InvalidInput", { reason: "the body broke off" }, { cause });
      });
      if (late) throw new ContractError("BodyTimeout", { seconds });
      if (done) break;
      size += value.byteLength;
      if (size > limit) {
        await reader.cancel();
        throw new ContractError("BodyTooLarge", { limit });
      }
      chunks.push(value);
    }
  } finally {
    clearTimeout(timer);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ContractError("InvalidJson", { reason: "it is not UTF-8" }, { cause });
  }
}

/**
 * Reads a JSON body; an empty one is `{}`.
 *
 * @throws {ContractError} EncodedBody, UnsupportedMediaType, InvalidJson, BodyTooLarge, BodyTimeout
 */
export async function readJson(request: Request, limit = BODY_LIMIT): Promise<unknown> {
  requireUnencoded(request.headers);
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  const text = await readBody(request, limit);
  if (text.trim() === "") return {};
  if (type !== "application/json") throw new ContractError("UnsupportedMediaType");
  try {
    return parseJson(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.slice(0, 200) : "";
    throw new ContractError("InvalidJson", { reason }, { cause });
  }
}
