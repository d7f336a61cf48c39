/** Memory of content that went through: given back at once. */

/**
 * Gives a piece's memory back. Left to the garbage collector, a transfer is one collection after another, for what is
 * outside its heap counts as if it were in it: each gigabyte cost two seconds of CPU.
 */
export function freeBuffer({ buffer, byteLength }: Uint8Array): void {
  // A piece of its own, not a part of something that others still read.
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
