/** One-time codes: RFC 6238 over RFC 4226, with what authenticator apps expect: SHA-1, six digits, 30 seconds. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { Buffer } from "node:buffer";
import { HOTP, Secret, TOTP } from "otpauth/bare";

const ISSUER = "KVM Manager";
const STEP_MS = 30_000;
const DIGITS = 6;
/** Steps before and after the current one that are taken too: clocks differ. */
const DRIFT = 1;

/** node:crypto's HMAC, so that the library brings none of its own. */
const hmac = (_algorithm: string, key: Uint8Array, message: Uint8Array) =>
  Uint8Array.from(createHmac("sha1", key).update(message).digest());

const randomSecret = (bytes: number) => new Secret({ size: bytes }).base32;

/** A new secret, as base32: 160 bits, as RFC 4226 (4, R6) recommends. */
export function newTotpSecret(): string {
  return randomSecret(20);
}

/** The code of a step. @param secret base32 */
export function codeAt(secret: string, step: number): string {
  return HOTP.generate({ secret: Secret.fromBase32(secret), counter: step, digits: DIGITS, hmac });
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
  const label = `${user}@${host}`;
  return new TOTP({ issuer: ISSUER, label, secret, digits: DIGITS, period: STEP_MS / 1000, hmac }).toString();
}

/** Codes for the day the phone is gone: 80 bits each, in groups that can be read aloud. */
export function newRecoveryCodes(): string[] {
  return Array.from(
    { length: 10 },
    () => randomSecret(10).toLowerCase().replace(/(.{4})(?=.)/g, "$1-"),
  );
}

/** A recovery code as it is compared: however it was typed. */
export function plainRecoveryCode(code: string): string {
  return code.toLowerCase().replaceAll(/[\s-]/g, "");
}
