/** Reading a stream of bytes in the pieces a protocol names. */
import { joined } from "../../bytes.ts";

/** Data from the other end is no valid RFB; the text says why. */
export class RfbError extends Error {
  override readonly name = "RfbError";
}

/** Gives exact numbers of bytes out of chunks of any size. */
export class ByteSource {
  #kept: Uint8Array = new Uint8Array(0);

  /** @param next the next chunk; null at the end */
  constructor(private readonly next: () => Promise<Uint8Array | null>) {}

  /** The next bytes. @throws {RfbError} when the stream ends before them */
  async exactly(count: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [this.#kept];
    let length = this.#kept.length;
    while (length < count) {
      const chunk = await this.next();
      if (chunk === null) throw new RfbError("the connection ended during the handshake");
      parts.push(chunk);
      length += chunk.length;
    }
    const whole = joined(parts);
    this.#kept = whole.subarray(count);
    return whole.subarray(0, count);
  }

  /** A 32-bit number. */
  async u32(): Promise<number> {
    const bytes = await this.exactly(4);
    return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  }

  /** Bytes that were read but not consumed; from now on the caller reads the stream itself. */
  rest(): Uint8Array {
    const rest = this.#kept;
    this.#kept = new Uint8Array(0);
    return rest;
  }
}
