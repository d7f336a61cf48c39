/**
 * The key by which other KVM Managers know this one. It is made when it is first needed, and lies in a file of its own. Each
 * key that takes its place is signed with the one before: those that are away meanwhile learn it from that.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { join } from "node:path";
import { MOST_RENEWALS, type Renewal, renewalStatement } from "../../../lib/host/link_protocol.ts";
import { Mutex } from "../../../lib/mutex.ts";
import { parseJson } from "../../../lib/text/json.ts";
import { isTaken, textAt } from "../../machine/files.ts";
import type { Secrets } from "../../sealing/secrets.ts";

const FILE = "link.key", RENEWALS_FILE = "link-renewals.json";

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

/**
 * Whether a key has taken the place of one that is known, by signatures of each key between them.
 *
 * @param known public key, as {@link LinkIdentity} has it
 */
export function isRenewalOf(known: string, key: string, renewals: readonly Renewal[]): boolean {
  let at = key;
  // No key is passed twice: there are as many steps at most as there are renewals
  for (let step = 0; step < renewals.length; step++) {
    const last = renewals.find(({ to }) => to === at);
    if (last === undefined || !isSignedBy(last.from, renewalStatement(last.from, last.to), last.signature)) {
      return false;
    }
    if (last.from === known) return true;
    at = last.from;
  }
  return false;
}

const newKey = () => generateKeyPairSync("ed25519").privateKey;
const pemOf = (key: KeyObject) => String(key.export({ type: "pkcs8", format: "pem" }));
const publicKeyOf = (key: KeyObject): string => createPublicKey(key).export({ format: "jwk" }).x!;

export class LinkIdentity {
  #key: KeyObject | undefined;
  #renewals: readonly Renewal[] = [];
  readonly #changes = new Mutex();
  readonly file: string;
  readonly #renewalsFile: string;

  /** @param dataDir folder of the key @param secrets seals the key there */
  constructor(dataDir: string, private readonly secrets: Pick<Secrets, "closedText" | "openedText">) {
    this.file = join(dataDir, FILE);
    this.#renewalsFile = join(dataDir, RENEWALS_FILE);
  }

  /** Has the key read, or made. @throws {ContractError} SecretUnreadable, EncryptionKeyMissing; system errors */
  async ready(): Promise<this> {
    if (this.#key !== undefined) return this;
    if (!await isTaken(this.file)) await this.#make();
    const renewals = await textAt(this.#renewalsFile), key = await Deno.readTextFile(this.file);
    // Meanwhile another call may have read both, or have rotated the key
    if (this.#key !== undefined) return this;
    // Written by us alone
    this.#renewals = renewals === undefined ? [] : parseJson(renewals) as Renewal[];
    this.#key = createPrivateKey(this.secrets.openedText(FILE, key));
    return this;
  }

  #sealedPem(key: KeyObject): string {
    return this.secrets.closedText(FILE, pemOf(key));
  }

  async #make(): Promise<void> {
    const made = await this.#written(this.file, this.#sealedPem(newKey()));
    try {
      // Two that make one at the same time: the first counts
      await Deno.link(made, this.file);
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    } finally {
      await Deno.remove(made);
    }
  }

  /** Writes a file that is to take the place of another. @returns its path */
  async #written(place: string, text: string): Promise<string> {
    const made = `${place}.${crypto.randomUUID().slice(0, 8)}`;
    await Deno.writeTextFile(made, text, { mode: 0o600, createNew: true });
    return made;
  }

  /** Has another key take the place of this one. What is open stays so. @returns its public key @throws system errors */
  rotate(): Promise<string> {
    return this.#changes.run(async () => {
      await this.ready();
      const key = newKey(), from = this.publicKey, to = publicKeyOf(key);
      const renewal = { from, to, signature: this.sign(renewalStatement(from, to)) };
      const renewals = [...this.#renewals, renewal].slice(-MOST_RENEWALS);
      const list = await this.#written(this.#renewalsFile, JSON.stringify(renewals));
      const made = await this.#written(this.file, this.#sealedPem(key));
      // A renewal to a key that was lost in between leads nowhere, and harms none; a key without its renewal opens nothing
      await Deno.rename(list, this.#renewalsFile);
      await Deno.rename(made, this.file);
      this.#renewals = renewals;
      this.#key = key;
      return to;
    });
  }

  /** Those that lead to its key. */
  get renewals(): readonly Renewal[] {
    return this.#renewals;
  }

  /** 32 bytes as base64url. */
  get publicKey(): string {
    return publicKeyOf(this.#required);
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
