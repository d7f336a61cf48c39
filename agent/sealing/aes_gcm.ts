/**
 * AES-256-GCM as everything here is sealed by it: nonce, content, tag. What is sealed is bound to what it is about. Long
 * content is sealed by Web Crypto, on threads of its own; short values at once, where a transaction cannot wait.
 */
import { createCipheriv, createDecipheriv } from "node:crypto";

export type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes: of keys, of what makes each encryption another one, of what tells that nothing was changed. */
export const KEY_BYTES = 32, NONCE_BYTES = 12, TAG_BYTES = 16;
const CIPHER = "aes-256-gcm";

export const utf8Bytes = (text: string): Bytes => new Uint8Array(new TextEncoder().encode(text));

const how = (iv: Bytes, about: string): AesGcmParams => ({
  name: "AES-GCM",
  iv,
  additionalData: utf8Bytes(about),
  tagLength: TAG_BYTES * 8,
});

/** A key for {@link encrypt}. */
export const aesKey = (key: Bytes): Promise<CryptoKey> =>
  crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt", "decrypt"]);

/** Nonce, content, tag. The nonce is random: 2³² pieces under one key are within bounds (NIST SP 800-38D). */
export async function encrypt(key: CryptoKey, about: string, bytes: Bytes): Promise<Bytes> {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const closed = new Uint8Array(NONCE_BYTES + bytes.length + TAG_BYTES);
  closed.set(nonce);
  closed.set(new Uint8Array(await crypto.subtle.encrypt(how(nonce, about), key, bytes)), NONCE_BYTES);
  return closed;
}

/** @returns undefined where it was encrypted by another key, about something else, or changed */
export async function decrypt(key: CryptoKey, about: string, closed: Bytes): Promise<Bytes | undefined> {
  if (closed.length < NONCE_BYTES + TAG_BYTES) return undefined;
  try {
    const nonce = closed.subarray(0, NONCE_BYTES);
    return new Uint8Array(
      await crypto.subtle.decrypt(how(nonce, about), key, closed.subarray(NONCE_BYTES)),
    );
  } catch (error) {
    // WebCrypto's only word for it.
    if (error instanceof DOMException && error.name === "OperationError") return undefined;
    throw error;
  }
}

/** The same as {@link encrypt}, at once: for values of some kilobytes. */
export function encryptNow(key: Bytes, about: string, bytes: Bytes): Bytes {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(utf8Bytes(about));
  const closed = new Uint8Array(NONCE_BYTES + bytes.length + TAG_BYTES);
  closed.set(nonce);
  closed.set(cipher.update(bytes), NONCE_BYTES);
  cipher.final();
  closed.set(cipher.getAuthTag(), NONCE_BYTES + bytes.length);
  return closed;
}

/** The same as {@link decrypt}, at once. @returns undefined where it was encrypted by another key, about something else, or changed */
export function decryptNow(key: Bytes, about: string, closed: Bytes): Bytes | undefined {
  const end = closed.length - TAG_BYTES;
  if (end < NONCE_BYTES) return undefined;
  const cipher = createDecipheriv(CIPHER, key, closed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  cipher.setAAD(utf8Bytes(about));
  cipher.setAuthTag(closed.subarray(end));
  const bytes = new Uint8Array(cipher.update(closed.subarray(NONCE_BYTES, end)));
  try {
    cipher.final();
    return bytes;
  } catch {
    return undefined; // it has one reason: the tag is not that of the content
  }
}
