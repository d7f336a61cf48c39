/** Moving bytes between C memory and JavaScript. Little-endian, 64-bit (x86-64, aarch64). */

const encoder = new TextEncoder();

/** A NUL-terminated copy of `text`. @throws {TypeError} when it holds a NUL, which C would cut it at. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) throw new TypeError("the text contains a NUL character");
  return encoder.encode(text + "\0");
}

/** Reads a C string that stays owned by libvirt; `""` for NULL. Invalid UTF-8 becomes U+FFFD. */
export function readString(pointer: Deno.PointerValue): string {
  return pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
}

/** Length of libvirt's UUID text with its NUL (VIR_UUID_STRING_BUFLEN). */
const UUID_BYTES = 37;
const decoder = new TextDecoder();

/** Reads a UUID through one of the `…GetUUIDString(object, buf)` functions. */
export function readUuid(fill: (buffer: Uint8Array<ArrayBuffer>) => number): string {
  const buffer = new Uint8Array(UUID_BYTES);
  return fill(buffer) === 0 ? decoder.decode(buffer.subarray(0, UUID_BYTES - 1)) : "";
}
