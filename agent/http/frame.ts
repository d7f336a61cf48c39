/** Frames of WebSockets made in place: the head is written in front of the bytes, so nothing is copied or sent twice. */

/** Bytes to leave free in front of a frame's payload: its longest head. */
export const FRAME_HEAD = 10;

/** RFC 6455, 5.2: FIN, and the opcode of bytes. */
const WHOLE_BINARY = 0x82;
/** Lengths from here on take two bytes, and eight. */
const TWO_BYTES = 126, EIGHT_BYTES = 65536;

/**
 * Makes an unmasked binary frame of the bytes at {@link FRAME_HEAD}: writes the shortest head right before them.
 *
 * @param buffer at least {@link FRAME_HEAD} + length bytes
 * @param length bytes of payload
 * @returns the frame, a part of the buffer
 */
export function frameInPlace(buffer: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  const head = length < TWO_BYTES ? 2 : length < EIGHT_BYTES ? 4 : FRAME_HEAD;
  const at = FRAME_HEAD - head;
  view.setUint8(at, WHOLE_BINARY);
  if (head === 2) view.setUint8(at + 1, length);
  else if (head === 4) {
    view.setUint8(at + 1, 126);
    view.setUint16(at + 2, length);
  } else {
    view.setUint8(at + 1, 127);
    view.setBigUint64(at + 2, BigInt(length));
  }
  return buffer.subarray(at, FRAME_HEAD + length);
}
