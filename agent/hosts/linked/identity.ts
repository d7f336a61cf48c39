/** The key by which other KVM Managers know this one. It is made when it is first needed, and lies in a file of its own. */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { join } from "node:path";
import { isTaken } from "../../machine/files.ts";

const FILE = "link.key";

/**
 * Points of Ed25519 of small order, their sign left out (RFC 7748; libsodium refuses the same): signatures of such a key are
 * made without a private one.
 */
const SMALL_ORDER: ReadonlySet<string> = new Set([
  "00".repeat(32),
  `01${"00".repeat(31)}`,
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  `ec${"ff".repeat(30)}7f`,
  `ed${"ff".repeat(30)}7f`,
  `ee${"ff".repeat(30)}7f`,
]);

function isOfSmallOrder(publicKey: string): boolean {
  const bytes = Uint8Array.fromBase64(publicKey, { alphabet: "base64url" });
  bytes[31]! &= 0x7f;
  return SMALL_ORDER.has(bytes.toHex());
}

/** Whether somebody with a key has signed something. @param publicKey 32 bytes as base64url, as {@link LinkIdentity} has it */
export function isSignedBy(publicKey: string, statement: Uint8Array, signature: string): boolean {
  if (isOfSmallOrder(publicKey)) return false;
  try {
    const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: publicKey }, format: "jwk" });
    return verify(null, statement, key, Uint8Array.fromBase64(signature, { alphabet: "base64url" }));
  } catch {
    return false; // anybody may send it: not every 32 bytes are a key
  }
}

export class LinkIdentity {
  #key: KeyObject | undefined;
  readonly #file: string;

  /** @param dataDir where the key is kept */
  constructor(dataDir: string) {
    this.#file = join(dataDir, FILE);
  }

  /** Has the key read, or made. @throws system errors */
  async ready(): Promise<this> {
    if (this.#key !== undefined) return this;
    if (!await isTaken(this.#file)) await this.#make();
    this.#key = createPrivateKey(await Deno.readTextFile(this.#file));
    return this;
  }

  async #make(): Promise<void> {
    const { privateKey } = generateKeyPairSync("ed25519");
    const text = String(privateKey.export({ type: "pkcs8", format: "pem" }));
    const made = `${this.#file}.${crypto.randomUUID().slice(0, 8)}`;
    await Deno.writeTextFile(made, text, { mode: 0o600, createNew: true });
    try {
      // Two that make one at the same time: the first counts
      await Deno.link(made, this.#file);
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    } finally {
      await Deno.remove(made);
    }
  }

  /** 32 bytes as base64url. */
  get publicKey(): string {
    const { x } = createPublicKey(this.#required).export({ format: "jwk" });
    return x!;
  }

  /** @returns 64 bytes as base64url */
  sign(statement: Uint8Array): string {
    return new Uint8Array(sign(null, statement, this.#required)).toBase64({
      alphabet: "base64url",
      omitPadding: true,
    });
  }

  get #required(): KeyObject {
    if (this.#key === undefined) throw new Error("the key was not read yet");
    return this.#key;
  }
}
