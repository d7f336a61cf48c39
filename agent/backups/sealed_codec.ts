/**
 * Encryption of a store. A random data key encrypts everything with AES-256-GCM; the store has that key closed by another
 * one, which scrypt (RFC 7914) makes of the passphrase. What is kept is bound to its place, so that one file is not taken
 * for another; chunks are named by an HMAC of their content, so that a name does not tell what is in it.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  randomBytes,
  scrypt,
  timingSafeEqual,
} from "node:crypto";
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

/** Nonce, content, tag. The nonce is random: 2³² pieces under one key are within bounds (NIST SP 800-38D). */
function encrypt(key: Bytes, about: string, bytes: Bytes): Bytes {
  const nonce = randomBytes(NONCE), cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG });
  cipher.setAAD(bytesOf(about));
  const closed = new Uint8Array(NONCE + bytes.length + TAG);
  closed.set(nonce);
  closed.set(cipher.update(bytes), NONCE);
  cipher.final();
  closed.set(cipher.getAuthTag(), NONCE + bytes.length);
  return closed;
}

/** @returns undefined where it was encrypted by another key, about something else, or changed */
function decrypt(key: Bytes, about: string, closed: Bytes): Bytes | undefined {
  if (closed.length < NONCE + TAG) return undefined;
  const end = closed.length - TAG;
  const cipher = createDecipheriv(CIPHER, key, closed.subarray(0, NONCE), { authTagLength: TAG });
  cipher.setAAD(bytesOf(about));
  cipher.setAuthTag(closed.subarray(end));
  const bytes = new Uint8Array(cipher.update(closed.subarray(NONCE, end)));
  try {
    cipher.final();
  } catch {
    // Node's only word for it.
    return undefined;
  }
  return bytes;
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
  const how = { cipher: CIPHER, kdf: "scrypt", ...cost, salt: randomBytes(KEY).toString("hex") } as const;
  const key = encrypt(await keyOf(passphrase, how), aboutKey(id, how), dataKey).toHex();
  return {
    description: {
      format: "kvm-manager-backup-folder",
      version: REPOSITORY_VERSION.encrypted,
      id,
      encryption: { ...how, key },
    },
    dataKey: dataKey.toHex(),
  };
}

/** The data key of a store. @throws {WrongPassphrase} */
export async function openDataKey(
  { id, encryption }: Description & { readonly encryption: Encryption },
  passphrase: string,
): Promise<DataKey> {
  const { key: closed, ...how } = encryption;
  const key = decrypt(await keyOf(passphrase, how), aboutKey(id, how), Uint8Array.fromHex(closed));
  if (key === undefined) throw new WrongPassphrase("the passphrase is wrong");
  return key.toHex();
}

/** Whether two data keys are the same. */
export const isSameKey = (one: DataKey, other: DataKey): boolean =>
  one.length === other.length && timingSafeEqual(bytesOf(one), bytesOf(other));

/** How the content of an encrypted store is written and read. @param id of the store */
export function sealedCodec(id: string, dataKey: DataKey): Codec {
  const derived = (use: string) =>
    new Uint8Array(hkdfSync("sha256", Uint8Array.fromHex(dataKey), bytesOf(id), `kvm-manager ${use}`, KEY));
  const content = derived("content"), names = derived("names");
  const named = (what: string, bytes: Bytes) =>
    createHmac("sha256", names).update(`${what}\0`).update(bytes).digest("hex");
  return {
    isEncrypted: true,
    overhead: 1 + NONCE + TAG,
    chunkName: (bytes) => Promise.resolve(named("chunk", bytes)),
    fileName: (copyId, name) => named("file", bytesOf(`${copyId}/${name}`)).slice(0, 32),
    seal: (place, bytes) => {
      const closed = encrypt(content, `${id}/${place}`, bytes), sealed = new Uint8Array(1 + closed.length);
      sealed[0] = VERSION;
      sealed.set(closed, 1);
      return sealed;
    },
    unseal: (place, sealed) => {
      const bytes = sealed[0] === VERSION
        ? decrypt(content, `${id}/${place}`, sealed.subarray(1))
        : undefined;
      if (bytes === undefined) {
        throw new ManifestError(`${place} is damaged, was changed, or is another file's content`);
      }
      return bytes;
    },
  };
}
