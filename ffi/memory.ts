/**
 * Moving bytes between C memory and JavaScript. Little-endian, 64-bit (x86-64, aarch64).
 *
 * Texts of C are bytes, those of JavaScript are not: lib/text/byte_text.ts says how each becomes the other, here and
 * nowhere else, and nothing is lost between two calls.
 */
import { bytesOfText, textOfBytes } from "../lib/text/byte_text.ts";

const encoder = new TextEncoder();

function requireWhole(text: string): void {
  if (text.includes("\0")) throw new TypeError("the text contains a NUL character");
}

/** A NUL-terminated copy of the bytes of `text`. @throws {TypeError} when it holds a NUL, which C would cut it at. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  requireWhole(text);
  return bytesOfText(text + "\0");
}

/** Texts that calls on other threads read: nothing else keeps them from the garbage collector. */
const inUse = new Set<Uint8Array>();

/** Gives a text to a call on another thread, which may read it until it returns. @throws what the call throws */
export async function withCString<T>(
  text: string,
  call: (bytes: Uint8Array<ArrayBuffer>) => Promise<T>,
): Promise<T> {
  const bytes = cString(text);
  inUse.add(bytes);
  try {
    return await call(bytes);
  } finally {
    inUse.delete(bytes);
  }
}

/** A NUL-terminated copy of `text` as UTF-8, character by character: for passwords. @throws {TypeError} for a NUL */
export function cPassword(text: string): Uint8Array<ArrayBuffer> {
  requireWhole(text);
  return encoder.encode(text + "\0");
}

/** Characters that Deno's own reading makes of bytes that are no UTF-8, or that look like a spelled byte. */
const SUSPECT = /[\ufffd-\uffff]/;

/** Reads a C string that stays owned by libvirt; `""` for NULL. */
export function readString(pointer: Deno.PointerValue): string {
  if (pointer === null) return "";
  const text = Deno.UnsafePointerView.getCString(pointer);
  if (!SUSPECT.test(text)) return text;
  const view = new Deno.UnsafePointerView(pointer);
  let length = 0;
  while (view.getUint8(length) !== 0) length++;
  const bytes = new Uint8Array(length);
  view.copyInto(bytes);
  return textOfBytes(bytes);
}

/** Length of libvirt's UUID text with its NUL (VIR_UUID_STRING_BUFLEN). */
const UUID_BYTES = 37;
const decoder = new TextDecoder();

/** Reads a UUID through one of the `…GetUUIDString(object, buf)` functions. */
export function readUuid(fill: (buffer: Uint8Array<ArrayBuffer>) => number): string {
  const buffer = new Uint8Array(UUID_BYTES);
  return fill(buffer) === 0 ? decoder.decode(buffer.subarray(0, UUID_BYTES - 1)) : "";
}
