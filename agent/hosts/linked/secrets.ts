/** Secrets, and what is kept of them. */
import { createHash } from "node:crypto";

/** 32 random bytes as base64url. */
export const newSecret = (): string =>
  crypto.getRandomValues(new Uint8Array(32)).toBase64({ alphabet: "base64url", omitPadding: true });

/** What is kept of a secret: who reads the memory of a stopped process, or times a comparison, learns none. */
export const digestOf = (secret: string): string => createHash("sha256").update(secret).digest("base64url");
