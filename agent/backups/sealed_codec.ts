/**
 * Encryption of a store. A random data key encrypts everything with AES-256-GCM; the store has that key closed by another
 * one, which scrypt (RFC 7914) makes of the passphrase. What is kept is bound to its place, so that one file is not taken
 * for another; chunks are named by an HMAC of their content, so that a name does not tell what is in it.
 */
import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto";
import { type Description, type Encryption, REPOSITORY_VERSION } from "../../lib/backup/description.ts";
import { ManifestError } from "../../lib/backup/manifest.ts";
import {
  aesKey,
  decrypt,
  encrypt,
  KEY_BYTES as KEY,
  NONCE_BYTES as NONCE,
  TAG_BYTES as TAG,
  utf8Bytes,
} from "../sealing/aes_gcm.ts";
import { closeByPassphrase, openByPassphrase, type ScryptCost } from "../sealing/passphrase.ts";
import type { StoreCodec } from "./codec.ts";

/** Says which way it was encrypted: another way would be another number. */
const VERSION = 1;

/** The context that the closed key of a store is bound to. */
const aboutKey = (id: string) => `kvm-manager backup key ${id}`;

/** The data key of a store, hexadecimal, as it is kept with the target's other secrets. */
export type DataKey = string;

/** A new store that is encrypted, and its data key. @param cost of scrypt; tests take less */
export async function newEncryption(
  passphrase: string,
  cost?: ScryptCost,
): Promise<{ readonly description: Description; readonly dataKey: DataKey }> {
  const id = crypto.randomUUID(), dataKey = new Uint8Array(randomBytes(KEY));
  const encryption = await closeByPassphrase(passphrase, aboutKey(id), dataKey, cost);
  return {
    description: {
      format: "kvm-manager-backup-folder",
      version: REPOSITORY_VERSION.encrypted,
      id,
      encryption,
    },
    dataKey: dataKey.toHex(),
  };
}

/** The data key of a store. @throws {WrongPassphrase} */
export async function openDataKey(
  { id, encryption }: Pick<Description, "id"> & { readonly encryption: Encryption },
  passphrase: string,
): Promise<DataKey> {
  return (await openByPassphrase(passphrase, aboutKey(id), encryption)).toHex();
}

/** Whether two data keys are the same. */
export const isSameKey = (one: DataKey, other: DataKey): boolean =>
  one.length === other.length && timingSafeEqual(utf8Bytes(one), utf8Bytes(other));

/** How the content of an encrypted store is written and read. @param id of the store */
export function sealedCodec(id: string, dataKey: DataKey): StoreCodec {
  const derived = (use: string) =>
    new Uint8Array(hkdfSync("sha256", Uint8Array.fromHex(dataKey), utf8Bytes(id), `kvm-manager ${use}`, KEY));
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
