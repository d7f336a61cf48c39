/** Bytes as text in messages. Pure. */

/** The bytes of base64; null for what is none. */
export function bytesOfBase64(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
  } catch {
    return null; // letters that are none of it
  }
}

/** Bytes as base64. */
export const base64Of = (bytes: Uint8Array): string => bytes.toBase64();
