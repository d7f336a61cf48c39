/**
 * Description file of a backup target: its kind, its id and its encryption. From outside: it is checked, and its
 * figures are bounds. Pure.
 */
import Type, { type Static } from "typebox";
import { checker } from "../typebox/compile.ts";
import { ManifestError } from "./manifest.ts";

/** Versions that are written: earlier KVM Managers refuse what they cannot read. */
export const REPOSITORY_VERSION = { plain: 1, encrypted: 2 } as const;

/**
 * How the passphrase becomes the key that opens the data key (scrypt, RFC 7914), and that key, closed by it (AES-256-GCM).
 * The bounds keep a store that lies from using up the memory: 1 GiB at most.
 */
export const Encryption = Type.Object({
  cipher: Type.Literal("aes-256-gcm"),
  kdf: Type.Literal("scrypt"),
  /** Base-2 logarithm of scrypt's cost N. */
  logN: Type.Integer({ minimum: 14, maximum: 19 }),
  r: Type.Integer({ minimum: 1, maximum: 16 }),
  p: Type.Integer({ minimum: 1, maximum: 4 }),
  /** 32 bytes, hexadecimal. */
  salt: Type.String({ pattern: "^[0-9a-f]{64}$" }),
  /** Nonce (12 bytes), the data key closed (32), tag (16); hexadecimal. */
  key: Type.String({ pattern: "^[0-9a-f]{120}$" }),
});
export type Encryption = Static<typeof Encryption>;

const Description = Type.Object({
  format: Type.Literal("kvm-manager-backup-folder"),
  version: Type.Integer({ minimum: 1 }),
  id: Type.String({ pattern: "^[0-9a-f-]{36}$" }),
  encryption: Type.Optional(Encryption),
});
export type Description = Static<typeof Description>;
const isDescription = checker(Description);

/** Reads a description. @throws {ManifestError} with the end of a sentence */
export function readDescription(text: string): Description {
  const damaged = (cause?: unknown) => new ManifestError("its repository.json is damaged", { cause });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw damaged(error);
  }
  const { version } = (value ?? {}) as { version?: unknown };
  if (typeof version === "number" && version > REPOSITORY_VERSION.encrypted) {
    throw new ManifestError("it was made by a newer KVM Manager");
  }
  if (!isDescription(value)) throw damaged();
  if ((value.encryption !== undefined) !== (value.version === REPOSITORY_VERSION.encrypted)) throw damaged();
  return value;
}
