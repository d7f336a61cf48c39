/**
 * Challenges that need no place to be remembered in: very many requests push out no other challenge. Each carries the time
 * and a signature (HMAC-SHA-256, by a key of this process) over what it is for; only those that were answered are
 * remembered, until they are too old anyway.
 */
import { Buffer } from "node:buffer";
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "../clock.ts";

const NONCE_BYTES = 16, TIME_BYTES = 8, SIGNATURE_BYTES = 32;

export class SignedChallenges {
  readonly #key = randomBytes(32);
  /** Challenge → when it is too old, in milliseconds since the boot: the oldest first. */
  readonly #used = new Map<string, number>();

  /** @param livesMs how long each is good */
  constructor(private readonly livesMs: number, private readonly clock: Clock) {}

  /** Makes a challenge for a purpose at an origin; base64url. */
  issue(purpose: string, origin: string): string {
    const head = Buffer.alloc(NONCE_BYTES + TIME_BYTES);
    randomBytes(NONCE_BYTES).copy(head);
    head.writeDoubleBE(this.clock.monotonic(), NONCE_BYTES);
    return Buffer.concat([head, this.#sign(head, purpose, origin)]).toString("base64url");
  }

  /** Uses a challenge up; false when it is none, is too old, was used, or is for something else. */
  take(challenge: string, purpose: string, origin: string): boolean {
    const bytes = Buffer.from(challenge, "base64url");
    if (bytes.length !== NONCE_BYTES + TIME_BYTES + SIGNATURE_BYTES) return false;
    const head = bytes.subarray(0, NONCE_BYTES + TIME_BYTES), signature = bytes.subarray(head.length);
    if (!timingSafeEqual(signature, this.#sign(head, purpose, origin))) return false;
    const now = this.clock.monotonic(), end = head.readDoubleBE(NONCE_BYTES) + this.livesMs;
    if (now >= end || this.#used.has(keyOf(challenge))) return false;
    for (const [key, at] of this.#used) {
      if (at > now) break;
      this.#used.delete(key);
    }
    this.#used.set(keyOf(challenge), end);
    return true;
  }

  #sign(head: Buffer, purpose: string, origin: string): Buffer {
    return createHmac("sha256", this.#key).update(head).update(JSON.stringify([purpose, origin])).digest();
  }
}

/** The same bytes can be written in more than one way. */
const keyOf = (challenge: string) => Buffer.from(challenge, "base64url").toString("base64url");
