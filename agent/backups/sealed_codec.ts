/**
 * Encryption of a store. A random data key encrypts everything with AES-256-GCM; the store has that key closed by another
 * one, which scrypt (RFC 7914) makes of the passphrase. What is kept is bound to its place, so that one file is not taken
 * for another; chunks are named by an HMAC of their content, so that a name does not tell what is in it.
 */
import { secretSpellings, secretText } from "../../lib/text/secret_text.ts";
import { createHmac, hkdfSync, randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { type Description, type Encryption, REPOSITORY_VERSION } from "../../lib/backup/description.ts";
import { ManifestError } from "../../lib/backup/manifest.ts";
import type { Codec } from "./codec.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const CIPHER = "aes-256-gcm";
/** Bytes: of keys, of what makes each encryption another one, of what tells that nothing was changed. */
const KEY = 32, NONCE = 12, TAG = 16;
/** Says which way it was encrypted: another way would be another number. */
const VERSION = 1;
/** scrypt: 128 MiB, and a good second of one CPU (OWASP's first choice). */
const COST = { logN: 17, r: 8, p: 1 } as const;

/** The passphrase opens nothing. */
export class WrongPassphrase extends Error {
  override readonly name = "WrongPassphrase";
}

const bytesOf = (text: string): Bytes => new Uint8Array(new TextEncoder().encode(text));

/** WebCrypto works on threads of its own: a chunk would hold up everybody else for a tenth of a second. */
const how = (iv: Bytes, about: string): AesGcmParams => ({
  ...{ name: "AES-GCM", iv, additionalData: bytesOf(about), tagLength: TAG * 8 },
});

const aesKey = (key: Bytes): Promise<CryptoKey> =>
  crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt", "decrypt"]);

/** Nonce, content, tag. The nonce is random: 2³² pieces under one key are within bounds (NIST SP 800-38D). */
async function encrypt(key: CryptoKey, about: string, bytes: Bytes): Promise<Bytes> {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE));
  const closed = new Uint8Array(NONCE + bytes.length + TAG);
  closed.set(nonce);
  closed.set(new Uint8Array(await crypto.subtle.encrypt(how(nonce, about), key, bytes)), NONCE);
  return closed;
}

/** @returns undefined where it was encrypted by another key, about something else, or changed */
async function decrypt(key: CryptoKey, about: string, closed: Bytes): Promise<Bytes | undefined> {
  if (closed.length < NONCE + TAG) return undefined;
  try {
    const nonce = closed.subarray(0, NONCE);
    return new Uint8Array(await crypto.subtle.decrypt(how(nonce, about), key, closed.subarray(NONCE)));
  } catch (error) {
    // WebCrypto's only word for it.
    if (error instanceof DOMException && error.name === "OperationError") return undefined;
    throw error;
  }
}

/** The key that a passphrase makes. */
function keyOf(passphrase: string, { logN, r, p, salt }: Omit<Encryption, "key">): Promise<Bytes> {
  const cost = { N: 2 ** logN, r, p, maxmem: 2 ** 31 - 1 };
  // The same on every keyboard and system: "é" may be one sign or two.
  return new Promise((resolve, reject) =>
    scrypt(
      passphrase.normalize("NFC"),
      Uint8Array.fromHex(salt),
      KEY,
      cost,
      (error, key) => error ? reject(error) : resolve(new Uint8Array(key)),
    )
  );
}

/** What the closed key is bound to: nobody moves it, or weakens how it was made. */
const aboutKey = (id: string, { cipher, kdf, logN, r, p, salt }: Omit<Encryption, "key">) =>
  `kvm-manager backup key ${id} ${cipher} ${kdf} ${logN} ${r} ${p} ${salt}`;

/** The data key of a store, hexadecimal, as it is kept with the target's other secrets. */
export type DataKey = string;

/** A new store that is encrypted, and its data key. @param cost of scrypt; tests take less */
export async function newEncryption(
  passphrase: string,
  cost: Pick<Encryption, "logN" | "r" | "p"> = COST,
): Promise<{ readonly description: Description; readonly dataKey: DataKey }> {
  const id = crypto.randomUUID(), dataKey = new Uint8Array(randomBytes(KEY));
  const way = { cipher: CIPHER, kdf: "scrypt", ...cost, salt: randomBytes(KEY).toString("hex") } as const;
  const closing = await aesKey(await keyOf(secretText(passphrase), way));
  const key = (await encrypt(closing, aboutKey(id, way), dataKey)).toHex();
  return {
    description: {
      format: "kvm-manager-backup-folder",
      version: REPOSITORY_VERSION.encrypted,
      id,
      encryption: { ...way, key },
    },
    dataKey: dataKey.toHex(),
  };
}

/** The data key of a store. @throws {WrongPassphrase} */
export async function openDataKey(
  { id, encryption }: Description & { readonly encryption: Encryption },
  passphrase: string,
): Promise<DataKey> {
  const { key: closed, ...way } = encryption;
  for (const spelling of secretSpellings(passphrase)) {
    const opening = await aesKey(await keyOf(spelling, way));
    const key = await decrypt(opening, aboutKey(id, way), Uint8Array.fromHex(closed));
    if (key !== undefined) return key.toHex();
  }
  throw new WrongPassphrase("the passphrase is wrong");
}

/** Whether two data keys are the same. */
export const isSameKey = (one: DataKey, other: DataKey): boolean =>
  one.length === other.length && timingSafeEqual(bytesOf(one), bytesOf(other));

/** How the content of an encrypted store is written and read. @param id of the store */
export function sealedCodec(id: string, dataKey: DataKey): Codec {
  const derived = (use: string) =>
    new Uint8Array(hkdfSync("sha256", Uint8Array.fromHex(dataKey), bytesOf(id), `kvm-manager ${use}`, KEY));
  const names = derived("names");
  // Made when it is needed first; what fails is told to who asks.
  let content: Promise<CryptoKey> | undefined;
  const contentKey = () => content ??= aesKey(derived("content"));
  return {
    isEncrypted: true,
    overhead: 1 + NONCE + TAG,
    nameKey: names,
    fileName: (copyId, name) =>
      createHmac("sha256", names).update(`file\0${copyId}/${name}`).digest("hex").slice(0, 32),
    seal: async (place, bytes) => {
      const closed = await encrypt(await contentKey(), `${id}/${place}`, bytes);
      const sealed = new Uint8Array(1 + closed.length);
      sealed[0] = VERSION;
      sealed.set(closed, 1);
      return sealed;
    },
    unseal: async (place, sealed) => {
      const bytes = sealed[0] === VERSION
        ? await decrypt(await contentKey(), `${id}/${place}`, sealed.subarray(1))
        : undefined;
      if (bytes === undefined) {
        throw new ManifestError(`${place} is damaged, was changed, or is another file's content`);
      }
      return bytes;
    },
  };
}
