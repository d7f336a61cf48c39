/**
 * Password hashes as /etc/shadow has them: SHA-512 crypt, `$6$salt$…`. Source: Ulrich Drepper, "Unix crypt using
 * SHA-256 and SHA-512". (npm's unixcrypt goes wrong on passwords whose length is a multiple of 64.)
 */
import { createHash, type Hash, randomBytes } from "node:crypto";

const ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const DIGEST = 64;
const SALT = 16;
/** Default number of rounds of Debian's own tools. */
const ROUNDS = 5000;

const digest = (feed: (hash: Hash) => void): Uint8Array => {
  const hash = createHash("sha512");
  feed(hash);
  return hash.digest();
};

/** So many bytes of a digest, over and over. */
function repeated(bytes: Uint8Array, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => bytes[index % DIGEST]!);
}

/** 24 bits in four characters, the lowest six first. */
function characters(value: number, count: number): string {
  let text = "";
  for (let left = value; text.length < count; left >>= 6) text += ALPHABET[left & 63];
  return text;
}

/** The digest in the order and alphabet of crypt(3): three bytes that are a third apart make four characters. */
function encoded(bytes: Uint8Array): string {
  let text = "";
  for (let index = 0, [a, b, c] = [0, 21, 42]; index < 21; index++) {
    text += characters(bytes[a!]! << 16 | bytes[b!]! << 8 | bytes[c!]!, 4);
    [a, b, c] = [b! + 1, c! + 1, a! + 1];
  }
  return text + characters(bytes[63]!, 2);
}

function newSalt(): string {
  return [...randomBytes(SALT)].map((byte) => ALPHABET[byte & 63]).join("");
}

/** The hash of a password. @param salt for tests alone: 1 to 16 characters of crypt's alphabet */
export function sha512Crypt(password: string, salt = newSalt(), rounds = ROUNDS): string {
  const key = new TextEncoder().encode(password);
  const salted = new TextEncoder().encode(salt);
  const b = digest((hash) => hash.update(key).update(salted).update(key));
  const a = digest((hash) => {
    hash.update(key).update(salted).update(repeated(b, key.length));
    for (let bits = key.length; bits > 0; bits >>= 1) hash.update(bits & 1 ? b : key);
  });
  const p = repeated(
    digest((hash) => {
      for (let count = 0; count < key.length; count++) hash.update(key);
    }),
    key.length,
  );
  const s = repeated(
    digest((hash) => {
      for (let count = 0; count < 16 + a[0]!; count++) hash.update(salted);
    }),
    salted.length,
  );
  let c = a;
  for (let round = 0; round < rounds; round++) {
    c = digest((hash) => {
      hash.update(round % 2 ? p : c);
      if (round % 3) hash.update(s);
      if (round % 7) hash.update(p);
      hash.update(round % 2 ? c : p);
    });
  }
  return `$6$${rounds === ROUNDS ? "" : `rounds=${rounds}$`}${salt}$${encoded(c)}`;
}
