/** Keys that are closed by a passphrase: scrypt (RFC 7914) makes the key that closes them. */
import { randomBytes, scrypt } from "node:crypto";
import { secretSpellings, secretText } from "../../lib/text/secret_text.ts";
import { aesKey, type Bytes, decrypt, encrypt, KEY_BYTES } from "./aes_gcm.ts";

/** How a passphrase makes a key. */
export interface PassphraseWay {
  readonly cipher: "aes-256-gcm";
  readonly kdf: "scrypt";
  readonly logN: number;
  readonly r: number;
  readonly p: number;
  /** Hexadecimal digits. */
  readonly salt: string;
}

/** The cost of scrypt; tests take less. */
export type ScryptCost = Pick<PassphraseWay, "logN" | "r" | "p">;

/** 128 MiB, and a good second of one CPU (OWASP's first choice). */
const COST: ScryptCost = { logN: 17, r: 8, p: 1 };

/** The passphrase opens nothing. */
export class WrongPassphrase extends Error {
  override readonly name = "WrongPassphrase";
}

/** The key that a passphrase makes. */
function keyOf(passphrase: string, { logN, r, p, salt }: PassphraseWay): Promise<Bytes> {
  const cost = { N: 2 ** logN, r, p, maxmem: 2 ** 31 - 1 };
  // The same on every keyboard and system: "é" may be one sign or two.
  return new Promise((resolve, reject) =>
    scrypt(
      passphrase.normalize("NFC"),
      Uint8Array.fromHex(salt),
      KEY_BYTES,
      cost,
      (error, key) => error ? reject(error) : resolve(new Uint8Array(key)),
    )
  );
}

/** Context of the closed bytes: they cannot be moved, and the parameters of their key cannot be weakened. */
const bound = (about: string, { cipher, kdf, logN, r, p, salt }: PassphraseWay) =>
  `${about} ${cipher} ${kdf} ${logN} ${r} ${p} ${salt}`;

/**
 * Encrypts bytes with a passphrase.
 *
 * @param about their purpose @returns the encrypted bytes as hexadecimal digits, with the parameters of their key
 */
export async function closeByPassphrase(
  passphrase: string,
  about: string,
  bytes: Bytes,
  cost: ScryptCost = COST,
): Promise<PassphraseWay & { readonly key: string }> {
  const salt = randomBytes(KEY_BYTES).toString("hex");
  const way: PassphraseWay = { cipher: "aes-256-gcm", kdf: "scrypt", ...cost, salt };
  const closing = await aesKey(await keyOf(secretText(passphrase), way));
  return { ...way, key: (await encrypt(closing, bound(about, way), bytes)).toHex() };
}

/** Decrypts the result of {@link closeByPassphrase}. @throws {WrongPassphrase} */
export async function openByPassphrase(
  passphrase: string,
  about: string,
  { key: closed, ...way }: PassphraseWay & { readonly key: string },
): Promise<Bytes> {
  for (const spelling of secretSpellings(passphrase)) {
    const opening = await aesKey(await keyOf(spelling, way));
    const bytes = await decrypt(opening, bound(about, way), Uint8Array.fromHex(closed));
    if (bytes !== undefined) return bytes;
  }
  throw new WrongPassphrase("the passphrase is wrong");
}
