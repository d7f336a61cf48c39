import { createHash, createHmac } from "node:crypto";

/** SHA-256, on a thread of its own. */
export async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/**
 * The name of a chunk with that content, 64 hexadecimal digits, made on this thread: its SHA-256.
 *
 * @param key for encrypted stores: an HMAC, so that the name does not reveal the content
 */
export function chunkName(content: Uint8Array, key: Uint8Array | undefined): string {
  const hash = key === undefined ? createHash("sha256") : createHmac("sha256", key).update("chunk\0");
  return hash.update(content).digest("hex");
}
