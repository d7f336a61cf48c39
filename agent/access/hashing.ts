/** Passwords as they are kept: scrypt (RFC 7914), off the main thread, a few at a time. */
import { Buffer } from "node:buffer";
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { FairQueue, type Waiter } from "./fair_queue.ts";

/** scrypt's cost: rounds, block size, lanes. */
export interface HashCost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

/** 128 MiB and about 0.3 s each; OWASP's first choice for scrypt. Kept with each hash, so it can grow. */
export const HASH_COST: HashCost = { N: 2 ** 17, r: 8, p: 1 };
const KEY_BYTES = 32;
const SALT_BYTES = 16;
/** Hashes at once, each 128 MiB; and how many may wait. */
const queue = new FairQueue({ atOnce: 2, mostWaiting: 16, mostOfOne: 8 });

/** Somebody signed in, or the program itself. */
const KNOWN: Waiter = { network: "", isKnown: true };

function derive(password: string, salt: Uint8Array, { N, r, p }: HashCost): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  scrypt(
    password.normalize("NFC"),
    salt,
    KEY_BYTES,
    { N, r, p, maxmem: 256 * N * r },
    (error, key) => error ? reject(error) : resolve(key),
  );
  return promise;
}

/** Hashes passwords, and checks them. */
export class PasswordHashes {
  /**
   * A hash for names that do not exist: its check takes as long as a real one, so that the time does not
   * reveal which names exist.
   */
  readonly #nobodys: string;

  /** @param cost of new hashes; those that are kept name theirs */
  constructor(readonly cost: HashCost = HASH_COST) {
    this.#nobodys = written(cost, "A".repeat(22), "A".repeat(43));
  }

  /** Hashes a password: `scrypt$N$r$p$salt$key`, base64url. @throws {ContractError} TooManyRequests */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    const key = await queue.run(KNOWN, () => derive(password, salt, this.cost));
    return written(this.cost, salt.toString("base64url"), key.toString("base64url"));
  }

  /** Whether a password is the one of a hash; without a hash it never is, after the same time. */
  async isPassword(password: string, hash: string | undefined, waiter: Waiter = KNOWN): Promise<boolean> {
    const [kind, N, r, p, salt = "", key = ""] = (hash ?? this.#nobodys).split("$");
    if (kind !== "scrypt") throw new Error(`unknown kind of password hash: ${kind}`);
    const wanted = Buffer.from(key, "base64url");
    const cost = { N: Number(N), r: Number(r), p: Number(p) };
    const found = await queue.run(waiter, () => derive(password, Buffer.from(salt, "base64url"), cost));
    return hash !== undefined && wanted.length === found.length && timingSafeEqual(wanted, found);
  }
}

const written = ({ N, r, p }: HashCost, salt: string, key: string) =>
  ["scrypt", N, r, p, salt, key].join("$");
