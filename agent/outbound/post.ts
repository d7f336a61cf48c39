/**
 * Posting to where an administrator said: a webhook, a receiver of metrics. Every connection goes to an address that was
 * judged (`fetch.ts`), and no redirect is followed.
 */
import { messageOf } from "../../lib/text/message.ts";
import { oneLine } from "../../lib/text/text.ts";
import { outboundRefusal } from "./errors.ts";
import { ask, checkedUrl, type OutboundRequest, requireAllowedAddress, type Resolve } from "./fetch.ts";

/** It was not delivered. */
export class NotDelivered extends Error {
  override readonly name = "NotDelivered";

  /** @param isFinal another try changes nothing */
  constructor(
    message: string,
    readonly isFinal: boolean,
    options?: { cause?: unknown },
    /** Seconds after which the other side wants the next try; where it says so. */
    readonly retryAfter?: number,
  ) {
    super(message, options);
  }
}

/** Characters of an answer that are told. */
export const MOST_ANSWER = 200;

/** Converts any error into {@link NotDelivered}; the signal's reason where that is aborted. */
export function deliveryFailure(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof NotDelivered) return error;
  const refusal = outboundRefusal(error);
  return new NotDelivered(refusal ?? messageOf(error), refusal !== undefined, { cause: error });
}

/** Body and target of a POST. */
export interface Post extends Pick<OutboundRequest, "url" | "headers" | "signal" | "ca"> {
  readonly body: Uint8Array;
  /** The receiver may be on a private network, or this host. */
  readonly privateAddresses: boolean;
  readonly resolve?: Resolve;
}

/**
 * Posts, and gives the beginning of the answer.
 *
 * @param mostAnswer characters that are read of an answer that says yes
 * @throws {NotDelivered}, and what connecting throws ({@link deliveryFailure})
 */
export async function post(
  { url, privateAddresses, resolve, ...asked }: Post,
  mostAnswer = 0,
): Promise<string> {
  const { rules, addresses } = await requireAllowedAddress(checkedUrl(url), privateAddresses, resolve);
  await using answer = await ask({
    ...asked,
    url,
    rules,
    // The addresses that were judged, not those of another question
    resolve: () => Promise.resolve(addresses),
  });
  const { status } = answer, isGood = status >= 200 && status < 300;
  if (status >= 300 && status < 400) {
    throw new NotDelivered(`it answers with a redirect (HTTP ${status}): give the address it leads to`, true);
  }
  const most = isGood ? mostAnswer : MOST_ANSWER;
  let text = "";
  if (most > 0) {
    const decoder = new TextDecoder();
    for await (const piece of answer.content()) {
      text += decoder.decode(piece, { stream: true });
      if (text.length > most) break;
    }
  }
  if (isGood) return text;
  const isFinal = status >= 400 && status < 500 && status !== 408 && status !== 425 && status !== 429;
  const said = text.trim() === "" ? "" : `: ${oneLine(text.trim(), MOST_ANSWER)}`;
  const after = Number(answer.header("retry-after") ?? NaN);
  throw new NotDelivered(
    `the server says HTTP ${status}${said}`,
    isFinal,
    undefined,
    Number.isFinite(after) && after >= 0 ? after : undefined,
  );
}
