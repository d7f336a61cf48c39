/**
 * Drops messages that a view-only viewer may not send (RFC 6143, 7.5, and the extensions noVNC and QEMU have). Messages
 * are framed by this table alone, so none can be smuggled past it inside another one.
 */
import { joined } from "../../bytes.ts";
import { RfbError } from "./source.ts";

interface MessageRule {
  /** Bytes from which the whole length can be told. */
  readonly head: number;
  readonly length: (head: DataView) => number;
  readonly isAllowed: boolean;
}

const fixed = (bytes: number, isAllowed: boolean): MessageRule => ({
  head: 1,
  length: () => bytes,
  isAllowed,
});
const [PASS, DROP] = [true, false];

/** Client message type → how long it is, and whether a mere viewer may send it. */
const RULES: Readonly<Record<number, MessageRule>> = {
  0: fixed(20, PASS), // SetPixelFormat
  2: { head: 4, length: (head) => 4 + 4 * head.getUint16(2), isAllowed: PASS }, // SetEncodings
  3: fixed(10, PASS), // FramebufferUpdateRequest
  4: fixed(8, DROP), // KeyEvent
  5: fixed(6, DROP), // PointerEvent
  // ClientCutText; a negative length is the extended clipboard's
  6: { head: 8, length: (head) => 8 + Math.abs(head.getInt32(4)), isAllowed: DROP },
  150: fixed(10, PASS), // EnableContinuousUpdates
  248: { head: 9, length: (head) => 9 + head.getUint8(8), isAllowed: PASS }, // ClientFence
  250: fixed(4, DROP), // xvp: power
  251: { head: 8, length: (head) => 8 + 16 * head.getUint8(6), isAllowed: DROP }, // SetDesktopSize
  255: { head: 2, length: () => 12, isAllowed: DROP }, // QEMU's, of which only ExtendedKeyEvent is known here
};

/** Longest head of the table. */
const LONGEST_HEAD = 9;

export class ViewOnlyFilter {
  /** The beginning of a message whose length cannot be told yet. */
  #head: Uint8Array = new Uint8Array(0);
  /** Bytes of the current message still to come. */
  #left = 0;
  #isAllowed = false;

  /** Filters the next bytes. @returns the bytes that may be passed on @throws {RfbError} for an unknown message */
  push(chunk: Uint8Array): Uint8Array {
    const passed: Uint8Array[] = [];
    let data = this.#head.length === 0 ? chunk : joined([this.#head, chunk]);
    this.#head = new Uint8Array(0);
    while (data.length > 0) {
      if (this.#left === 0 && !this.#begin(data)) {
        this.#head = data.slice(0, LONGEST_HEAD);
        break;
      }
      const piece = data.subarray(0, this.#left);
      if (this.#isAllowed) passed.push(piece);
      this.#left -= piece.length;
      data = data.subarray(piece.length);
    }
    return passed.length === 0 ? new Uint8Array(0) : joined(passed);
  }

  /** Reads the head of a message; false when it is not all there. */
  #begin(data: Uint8Array): boolean {
    const type = data[0]!;
    const rule = RULES[type];
    if (rule === undefined) throw new RfbError(`the viewer sent a message of unknown type ${type}`);
    if (data.length < rule.head) return false;
    if (type === 255 && data[1] !== 0) throw new RfbError("the viewer sent an unknown QEMU message");
    this.#left = rule.length(new DataView(data.buffer, data.byteOffset, data.byteLength));
    this.#isAllowed = rule.isAllowed;
    return true;
  }
}
