/** Reading what another server answers: no more than it may have. */

/** The other one sends more than it may. */
export class TooLongError extends Error {
  override readonly name = "TooLongError";
}

/** Reads an answer as text. @param most bytes @throws {TooLongError}; what the connection ends with */
export async function readBounded(response: Response, most: number, signal?: AbortSignal): Promise<string> {
  const decoder = new TextDecoder();
  let text = "", size = 0;
  for await (const chunk of response.body ?? []) {
    signal?.throwIfAborted();
    size += chunk.byteLength;
    if (size > most) throw new TooLongError(`it answers with more than ${most} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
