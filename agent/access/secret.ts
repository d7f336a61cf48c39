/** Secrets that a machine makes: 256 random bits, kept as their hash. Nothing can be guessed, so nothing need be slow. */
import { Buffer } from "node:buffer";
import { createHash, randomBytes } from "node:crypto";

/** A new secret: 43 characters of base64url. */
export function newSecret(bytes = 32): string {
  return Buffer.from(randomBytes(bytes)).toString("base64url");
}

/** Hash of a secret for records. A lookup by it reveals nothing by its time: hashes cannot be chosen. */
export function secretHash(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}
