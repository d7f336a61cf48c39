/** One-time codes: RFC 6238 over RFC 4226, with what authenticator apps expect: SHA-1, six digits, 30 seconds. */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { Buffer } from "node:buffer";

const STEP_MS = 30_000;
const DIGITS = 6;
/** Steps before and after the current one that are taken too: clocks differ. */
const DRIFT = 1;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** Bytes as base32 without padding (RFC 4648, 6). */
export function base32(bytes: Uint8Array): string {
  let bits = 0, held = 0, text = "";
  for (const byte of bytes) {
    held = (held << 8 | byte) & 0xffff;
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET[held >> (bits - 5) & 31];
  }
  return bits > 0 ? text + ALPHABET[held << (5 - bits) & 31] : text;
}

/** The bytes of a base32 text. @throws {Error} when it is none */
export function fromBase32(text: string): Uint8Array {
  let bits = 0, held = 0;
  const bytes: number[] = [];
  for (const letter of text) {
    const value = ALPHABET.indexOf(letter);
    if (value < 0) throw new Error("not base32");
    held = (held << 5 | value) & 0xffff;
    bits += 5;
    if (bits >= 8) bytes.push(held >> (bits -= 8) & 255);
  }
  return Uint8Array.from(bytes);
}

/** A new secret: 160 bits, as RFC 4226 (4, R6) recommends. */
export function newTotpSecret(): string {
  return base32(randomBytes(20));
}

/** The code of a step. */
export function codeAt(secret: string, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", fromBase32(secret)).update(counter).digest();
  const offset = mac[mac.length - 1]! & 15;
  const number = mac.readUInt32BE(offset) & 0x7fffffff;
  return String(number % 10 ** DIGITS).padStart(DIGITS, "0");
}

/** The step of a time. @param wall milliseconds since 1970 */
export const stepOf = (wall: number): number => Math.floor(wall / STEP_MS);

/**
 * Checks a code.
 *
 * @param after the last step that was used: it and those before it are not taken again
 * @returns the step it is of, to be remembered; null when it is wrong
 */
export function checkCode(secret: string, code: string, wall: number, after: number): number | null {
  const given = code.replaceAll(/\s/g, "");
  if (!/^\d{6}$/.test(given)) return null;
  let found: number | null = null;
  for (let step = stepOf(wall) - DRIFT; step <= stepOf(wall) + DRIFT; step++) {
    const fits = timingSafeEqual(Buffer.from(codeAt(secret, step)), Buffer.from(given));
    if (fits && step > after) found = step;
  }
  return found;
}

/** For the QR code: the format authenticator apps read. */
export function otpauthUri(secret: string, user: string, host: string): string {
  const issuer = "KVM Manager";
  const label = encodeURIComponent(`${issuer}:${user}@${host}`);
  return `otpauth://totp/${label}?secret=${secret}&issuer=${encodeURIComponent(issuer)}&digits=6&period=30`;
}

/** Codes for the day the phone is gone: 80 bits each, in groups that can be read aloud. */
export function newRecoveryCodes(): string[] {
  return Array.from(
    { length: 10 },
    () => base32(randomBytes(10)).toLowerCase().replace(/(.{4})(?=.)/g, "$1-"),
  );
}

/** A recovery code as it is compared: however it was typed. */
export function plainRecoveryCode(code: string): string {
  return code.toLowerCase().replaceAll(/[\s-]/g, "");
}
