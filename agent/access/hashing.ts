/** Passwords as they are kept: scrypt (RFC 7914), off the main thread, a few at a time. */
import { Buffer } from "node:buffer";
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { FairQueue, type Waiter } from "./fair_queue.ts";

/** 128 MiB and about 0.3 s each; OWASP's first choice for scrypt. Kept with each hash, so it can grow. */
const COST = { N: 2 ** 17, r: 8, p: 1 } as const;
type Cost = { readonly N: number; readonly r: number; readonly p: number };
const KEY_BYTES = 32;
const SALT_BYTES = 16;
/** Hashes at once, each 128 MiB; and how many may wait. */
const queue = new FairQueue({ atOnce: 2, mostWaiting: 16, mostOfOne: 8 });

/** Somebody signed in, or the program itself. */
const KNOWN: Waiter = { network: "", isKnown: true };

function derive(password: string, salt: Uint8Array, { N, r, p }: Cost): Promise<Buffer> {
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

/** Hashes a password: `scrypt$N$r$p$salt$key`, base64url. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const key = await queue.run(KNOWN, () => derive(password, salt, COST));
  return ["scrypt", COST.N, COST.r, COST.p, salt.toString("base64url"), key.toString("base64url")].join("$");
}

/** What takes as long as the check of a real hash: nobody learns by it which names exist. */
const NOBODYS = `scrypt$${COST.N}$${COST.r}$${COST.p}$${"A".repeat(22)}$${"A".repeat(43)}`;

/** Whether a password is the one of a hash; without a hash it never is, after the same time. */
export async function isPassword(
  password: string,
  hash: string | undefined,
  waiter: Waiter = KNOWN,
): Promise<boolean> {
  const [kind, N, r, p, salt = "", key = ""] = (hash ?? NOBODYS).split("$");
  if (kind !== "scrypt") throw new Error(`unknown kind of password hash: ${kind}`);
  const wanted = Buffer.from(key, "base64url");
  const cost = { N: Number(N), r: Number(r), p: Number(p) };
  const found = await queue.run(waiter, () => derive(password, Buffer.from(salt, "base64url"), cost));
  return hash !== undefined && wanted.length === found.length && timingSafeEqual(wanted, found);
}
