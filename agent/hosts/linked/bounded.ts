/** Reading what another server answers: no more than it may have. */

/** The other one sends more than it may. */
export class TooLongError extends Error {
  override readonly name = "TooLongError";
}

/** Pieces of an answer, until it ends or the signal is aborted: whether more comes or not. */
async function* piecesOf(response: Response, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  signal?.throwIfAborted();
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  // One that waits for the next piece then ends
  const end = () => void reader.cancel(signal!.reason).catch(() => {/* the connection has failed already */});
  signal?.addEventListener("abort", end, { once: true });
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) yield piece.value;
    signal?.throwIfAborted();
  } finally {
    signal?.removeEventListener("abort", end);
    await reader.cancel();
  }
}

/**
 * Reads an answer as text.
 *
 * @param most bytes
 * @throws {TooLongError}; the signal's reason; what the connection ends with
 */
export async function readBounded(response: Response, most: number, signal?: AbortSignal): Promise<string> {
  const decoder = new TextDecoder();
  let text = "", size = 0;
  for await (const chunk of piecesOf(response, signal)) {
    size += chunk.byteLength;
    if (size > most) throw new TooLongError(`it answers with more than ${most} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** Cuts a text that comes in pieces. Each piece is looked at once, however small it is and however long the rest. */
export class TextCutter {
  #pieces: string[] = [];
  #length = 0;

  /** @param end one or two characters after which something is whole @param longest characters of what is not whole yet */
  constructor(private readonly end: string, private readonly longest: number) {}

  /** Takes a piece. @returns the lines that are complete by now, without their ends @throws {TooLongError} */
  take(piece: string): string[] {
    if (piece === "") return [];
    // An end of two characters may have come in two pieces
    const border = this.end.length > 1 ? this.#pieces.at(-1)?.slice(-1) ?? "" : "";
    this.#pieces.push(piece);
    this.#length += piece.length;
    let whole: string[] = [];
    if ((border + piece).includes(this.end)) {
      whole = this.#pieces.join("").split(this.end);
      const rest = whole.pop()!;
      this.#pieces = rest === "" ? [] : [rest];
      this.#length = rest.length;
    }
    if (this.#length > this.longest) {
      throw new TooLongError(`it sends more than ${this.longest} characters as one`);
    }
    return whole;
  }
}
