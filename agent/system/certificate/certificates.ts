/**
 * The certificate that serves: the one of the settings, or one of our own making in the data folder. It is taken again
 * when its files change; what cannot serve is told of, and the one before stays.
 */
import { DAY_MS } from "../../../lib/duration.ts";
import { join } from "node:path";
import type { Certificate } from "../../../lib/contract/certificate.ts";
import { ContractError } from "../../../lib/contract/errors.ts";
import { EXPIRY_WARNING_DAYS } from "../../../lib/contract/certificate.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { isTaken } from "../../machine/files.ts";
import { Mutex } from "../../../lib/mutex.ts";
import { log } from "../../log.ts";
import type { Secrets } from "../../sealing/secrets.ts";
import { type Pair, PairError, readPair, validityProblem } from "./pair.ts";

/** Seals our own key in its file. */
export type KeySealing = Pick<Secrets, "closedText" | "openedText" | "keyId">;

/** Paths of a certificate and its key. */
export interface PairFiles {
  readonly cert: string;
  readonly key: string;
}

/** Name in the data folder: key and certificate in one file, so that neither is ever without the other. */
export const OWN_FILE = "tls.pem";

export class Certificates {
  #pair: Pair;
  #problem: string | null = null;
  /** Of the files when they were read last: `mtime size` of each. */
  #version: string;
  readonly #turns = new Mutex();
  readonly #listeners = new Set<(pair: Pair) => void>();

  private constructor(
    private readonly files: PairFiles,
    private readonly own: Own | undefined,
    private readonly now: () => number,
    pair: Pair,
    version: string,
  ) {
    this.#pair = pair;
    this.#version = version;
  }

  /**
   * Opens the certificate of the settings, or our own: made when there is none, or its end is near.
   *
   * @param files of the settings; without them our own is used
   * @param dataDir folder of our own
   * @param names host names and addresses that a new one of our own is for
   * @param sealing of the key of our own
   * @throws {PairError} when the files cannot be read, or cannot serve
   */
  static async open({ files, dataDir, names, sealing, now = Date.now }: {
    files?: PairFiles | undefined;
    dataDir: string;
    names: () => readonly string[];
    sealing?: KeySealing;
    now?: () => number;
  }): Promise<Certificates> {
    const path = join(dataDir, OWN_FILE);
    const places = files ?? { cert: path, key: path };
    const own = files === undefined ? { names, sealing } : undefined;
    if (own !== undefined) await putUnreadableAside(path, sealing);
    if (own !== undefined && !await isTaken(path)) await make(path, own, now());
    const version = await versionOf(places);
    const pair = await read(places, sealing);
    const late = validityProblem(pair, now());
    const certificates = new Certificates(places, own, now, pair, version);
    // No server at all would help no one: root could not even get in to change it.
    if (late !== undefined) log.warn("the TLS certificate is not valid now", { reason: late });
    await certificates.#renew();
    return certificates;
  }

  /** The file with its private key. */
  get keyFile(): string {
    return this.files.key;
  }

  /** The pair in use. */
  get pair(): Pair {
    return this.#pair;
  }

  /** Facts of the pair in use, and why the newest files were not taken. */
  get about(): Certificate {
    return {
      ...this.#pair.facts,
      origin: this.own === undefined ? "files" : "made",
      daysLeft: Math.floor((this.#pair.facts.notAfter - this.now()) / DAY_MS),
      problem: this.#problem,
    };
  }

  /** Calls back whenever another certificate begins to serve. */
  onChange(listener: (pair: Pair) => void): void {
    this.#listeners.add(listener);
  }

  /**
   * Looks whether the files have changed, or our own is near its end. Never throws.
   *
   * @param again reads them even when they look the same
   */
  check(again = false): Promise<void> {
    return this.#turns.run(() => this.#check(again));
  }

  async #check(again: boolean): Promise<void> {
    try {
      await this.#renew();
      const version = await versionOf(this.files);
      if (version === this.#version && !again) return;
      this.#version = version;
      const pair = await read(this.files, this.own?.sealing);
      const late = validityProblem(pair, this.now());
      if (late !== undefined) throw new PairError(late);
      this.#problem = null;
      if (pair.facts.fingerprint === this.#pair.facts.fingerprint && pair.cert === this.#pair.cert) return;
      this.#serve(pair);
    } catch (error) {
      const reason = messageOf(error);
      if (reason !== this.#problem) {
        log.error("the TLS certificate was not taken: the one before it stays", { reason });
      }
      this.#problem = reason;
    }
  }

  #serve(pair: Pair): void {
    this.#pair = pair;
    for (const listener of this.#listeners) listener(pair);
    log.info("a new TLS certificate serves", {
      fingerprint: pair.facts.fingerprint,
      until: new Date(pair.facts.notAfter).toISOString(),
    });
  }

  /** Makes our own again before its end. */
  async #renew(): Promise<void> {
    if (this.own === undefined) return;
    if (this.#pair.facts.notAfter - this.now() > EXPIRY_WARNING_DAYS * DAY_MS) return;
    await make(this.files.cert, this.own, this.now());
    this.#version = await versionOf(this.files);
    this.#serve(await read(this.files, this.own.sealing));
  }
}

/** A certificate of our own: what it is for, and what seals its key. */
interface Own {
  readonly names: () => readonly string[];
  readonly sealing: KeySealing | undefined;
}

/** Moves a pair aside whose key cannot be read: another one serves, so that KVM Manager can be reached. */
async function putUnreadableAside(path: string, sealing: KeySealing | undefined): Promise<void> {
  if (sealing === undefined || !await isTaken(path)) return;
  try {
    sealing.openedText(OWN_FILE, await textOf(path));
  } catch (error) {
    if (!(error instanceof ContractError) || error.code !== "SecretUnreadable") throw error;
    const aside = `${path}.unreadable-${crypto.randomUUID().slice(0, 8)}`;
    await Deno.rename(path, aside);
    log.error("the key of the TLS certificate cannot be read: another certificate is made", {
      reason: error.message,
      kept: aside,
    });
  }
}

/** Makes a pair in place of what is at `path`: whole or not at all, never readable by others. */
async function make(path: string, { names, sealing }: Own, now: number): Promise<void> {
  const { makePair } = await import("./make.ts");
  const { cert, key: plain } = makePair(names(), now);
  // Before the first key is made, it is sealed once the database is open
  const key = sealing?.keyId === undefined ? plain : sealing.closedText(OWN_FILE, plain);
  const temporary = `${path}.${crypto.randomUUID()}`;
  try {
    await Deno.mkdir(join(path, ".."), { recursive: true, mode: 0o700 });
    const file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o600 });
    try {
      await file.write(new TextEncoder().encode(key + cert));
      await file.sync();
    } finally {
      file.close();
    }
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {/* it was renamed, or never made */});
    throw error;
  }
}

/** Changes when a file does, also when a link leads to another file now. */
async function versionOf({ cert, key }: PairFiles): Promise<string> {
  const each: string[] = [];
  // One after the other: of two that are missing, the first is named.
  for (const path of new Set([cert, key])) {
    const { mtime, size, ino } = await stat(path);
    each.push(`${mtime?.getTime()} ${size} ${ino}`);
  }
  return each.join(" ");
}

async function stat(path: string): Promise<Deno.FileInfo> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    throw new PairError(`${path} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Bytes of the largest file that is taken for a certificate's. */
const LARGEST = 1024 * 1024;

async function textOf(path: string): Promise<string> {
  const { isFile, size } = await stat(path);
  if (!isFile || size > LARGEST) throw new PairError(`${path} is no certificate's file`);
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw new PairError(`${path} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** @throws {PairError} naming the files; {ContractError} SecretUnreadable */
async function read({ cert, key }: PairFiles, sealing?: KeySealing): Promise<Pair> {
  const [certText, keyText] = await Promise.all([textOf(cert), textOf(key)]);
  try {
    return readPair(certText, sealing?.openedText(OWN_FILE, keyText) ?? keyText);
  } catch (error) {
    if (!(error instanceof PairError)) throw error;
    throw new PairError(cert === key ? `${cert}: ${error.message}` : `${cert}, ${key}: ${error.message}`, {
      cause: error,
    });
  }
}
