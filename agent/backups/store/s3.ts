/**
 * A bucket of an S3-compatible service as a store. Requests are signed by aws4fetch; they go where alerts may go
 * (`agent/outbound/fetch.ts`): a connection is made to an address that was judged, and no redirect is followed. A copy is whole once
 * its manifest is there, for objects cannot be given another name.
 */
import { isCopyId } from "../../../lib/backup/manifest.ts";
import { ContractError } from "../../../lib/contract/errors.ts";
import { child, children, childText, parseXml, XmlError } from "../../../lib/formats/xml/tree.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { type Clock, sleep } from "../../clock.ts";
import { FileRefused } from "../../machine/files.ts";
import { BrokenOff, outboundRefusal } from "../../outbound/errors.ts";
import { ask, type Fetched, requireAllowedAddress, type Resolve } from "../../outbound/fetch.ts";
import { StoreLeases } from "./lease.ts";
import {
  type BackupStore,
  COPIES,
  type GroupFiles,
  type Groups,
  isStoreName,
  LAST_FILE,
  type LockName,
  PARTIAL,
  type StoredFile,
  type StoreLock,
  targetUnusable,
} from "./store.ts";
import type { Sentence } from "../../../lib/i18n/message.ts";

/** Address and keys of a bucket. */
export interface S3Place {
  /** `https://s3.example.org`, with a port where it has one. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  /** Prefix of every name; empty, or `a/b`. */
  readonly prefix: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** The bucket stands in the path, and not before the host's name. */
  readonly pathStyle: boolean;
  /** Certificates that are trusted for it, PEM. */
  readonly ca: string | undefined;
  readonly privateAddresses: boolean;
}

/** Further services and settings of a remote store. */
export interface RemoteOptions {
  /** Owner of its locks: the target's id. */
  readonly owner: string;
  readonly clock: Clock;
  readonly resolve?: Resolve;
  /** Milliseconds before each further try. */
  readonly pauses?: readonly number[];
}

/** Milliseconds before each further try of what may go well then. */
const PAUSES = [500, 1000, 2000, 4000, 8000];
/** Milliseconds for a question with 2 MiB of content. */
const HEAD_MS = 120_000;
/** Bytes of an answer that lists or refuses. */
const MOST_ANSWER = 4 * 1024 ** 2;
/** Answers of a list: as many objects as there can be chunks. */
const MOST_PAGES = 100_000;

/** Codes that another try does not change, and what they mean for people. */
const REASONS: Readonly<Record<string, string>> = {
  NoSuchBucket: "there is no such bucket",
  InvalidAccessKeyId: "it does not know the access key",
  SignatureDoesNotMatch: "the secret key is wrong, or not the one of this access key",
  AccessDenied: "the access key may not do that",
  RequestTimeTooSkewed: "its clock and this host's differ by more than 15 minutes",
  AuthorizationHeaderMalformed: "its region is another one",
  QuotaExceeded: "it is full",
  EntityTooLarge: "it takes no objects of that size",
  XMinioStorageFull: "it is full",
};
/** Codes of objects that are not there. */
const MISSING: ReadonlySet<string> = new Set(["NoSuchKey", "NotFound", ""]);

interface Request {
  readonly method: "GET" | "HEAD" | "PUT" | "DELETE";
  /** An object, below the prefix; none: the bucket. */
  readonly name?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
  /** Bytes of the answer that are taken. */
  readonly most?: number;
}

interface Answer {
  readonly status: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly length: number | undefined;
}

/** A refusal that may be none the next time. */
class Busy extends Error {
  override readonly name = "Busy";
}

/** Takes what is answered, up to a bound. @throws {FileRefused} @throws {BrokenOff} */
async function contentOf(answer: Fetched, most: number): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of answer.content()) {
    length += piece.length;
    if (length > most) throw new FileRefused("a file of it is too large");
    pieces.push(piece);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

export class S3Store implements BackupStore {
  readonly isRemote = true;
  readonly label: string;
  readonly #place: S3Place;
  readonly #options: RemoteOptions;
  readonly #leases: StoreLeases;

  constructor(place: S3Place, options: RemoteOptions) {
    const prefix = place.prefix === "" ? "" : `/${place.prefix}`;
    this.label = `s3://${place.bucket}${prefix} at ${new URL(place.endpoint).host}`;
    this.#place = place;
    this.#options = options;
    this.#leases = new StoreLeases(this, options.owner, options.clock);
  }

  #urlOf(name: string | undefined, query: Readonly<Record<string, string>>): URL {
    const { endpoint, bucket, prefix, pathStyle } = this.#place;
    const url = new URL(endpoint);
    if (!pathStyle) url.hostname = `${bucket}.${url.hostname}`;
    const parts = [
      pathStyle ? bucket : "",
      name === undefined ? "" : `${prefix === "" ? "" : `${prefix}/`}${name}`,
    ];
    url.pathname = `/${parts.filter((part) => part !== "").map((part) => encodeURI(part)).join("/")}`;
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
    return url;
  }

  /** Asks once. @throws {Busy} @throws {BrokenOff} @throws {ContractError} BackupTargetUnusable */
  async #askOnce(
    { method, name, query = {}, headers = {}, body, most = MOST_ANSWER }: Request,
  ): Promise<Answer> {
    const { AwsV4Signer } = await import("aws4fetch");
    const { accessKey, secretKey, region, privateAddresses, ca } = this.#place;
    const url = this.#urlOf(name, query);
    const { rules, addresses } = await requireAllowedAddress(url, privateAddresses, this.#options.resolve);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", body ?? new Uint8Array())).toHex();
    const signed = await new AwsV4Signer({
      method,
      url: url.href,
      accessKeyId: accessKey,
      secretAccessKey: secretKey,
      service: "s3",
      region,
      headers: { ...headers, "x-amz-content-sha256": digest },
      datetime: new Date(this.#options.clock.now()).toISOString().replaceAll(/[:-]|\.\d{3}/g, ""),
    }).sign();
    await using answer = await ask({
      url: signed.url.href,
      method,
      rules,
      headMs: HEAD_MS,
      headers: Object.fromEntries(signed.headers),
      ...(body !== undefined && { body }),
      ...(ca !== undefined && { ca }),
      // The addresses that were judged, not those of another question
      resolve: () => Promise.resolve(addresses),
    });
    const { status } = answer, said = Number(answer.header("content-length") ?? Number.NaN);
    const length = Number.isSafeInteger(said) ? said : undefined;
    if (method === "HEAD") {
      if (status === 200 || status === 404) return { status, bytes: new Uint8Array(), length };
      throw this.#refusal(status, "");
    }
    if (status >= 200 && status < 300) return { status, bytes: await contentOf(answer, most), length };
    const text = new TextDecoder().decode(await contentOf(answer, MOST_ANSWER));
    const code = codeIn(text);
    if (status === 404 && MISSING.has(code) && name !== undefined) {
      return { status, bytes: new Uint8Array(), length };
    }
    throw this.#refusal(status, code);
  }

  #refusal(status: number, code: string): Error {
    const known = REASONS[code];
    if (known !== undefined) return this.#unusable(known);
    if (status >= 300 && status < 400) {
      return this.#unusable("it answers with a redirect: give the endpoint and the region it leads to");
    }
    if (status === 507) return this.#unusable("it is full");
    const text = `the service says HTTP ${status}${code === "" ? "" : ` ${oneLine(code, 60)}`}`;
    if (status >= 500 || status === 408 || status === 429) return new Busy(text);
    if (status === 401 || status === 403) return this.#unusable(`it refuses the access key (${text})`);
    return this.#unusable(text);
  }

  #unusable(reason: Sentence, cause?: unknown): ContractError {
    return targetUnusable(this.label, reason, cause);
  }

  /** Asks, again where that may help. @throws {ContractError} BackupTargetUnusable @throws {FileRefused} */
  async #ask(request: Request): Promise<Answer> {
    const pauses = this.#options.pauses ?? PAUSES;
    for (let tries = 0;; tries++) {
      try {
        return await this.#askOnce(request);
      } catch (error) {
        const refusal = outboundRefusal(error);
        if (refusal !== undefined) throw this.#unusable(refusal, error);
        if (!(error instanceof Busy || error instanceof BrokenOff)) throw error;
        const pause = pauses[tries];
        if (pause === undefined) throw this.#unusable(messageOf(error), error);
        await sleep(this.#options.clock, pause);
      }
    }
  }

  async make(): Promise<void> {
    await this.open();
  }

  /** A list tells a bucket that is gone from an object that is; this one has one entry at most. */
  async open(): Promise<void> {
    await this.#ask({ method: "GET", query: { "list-type": "2", prefix: this.#at("repository.json") } });
  }

  #at(name: string): string {
    const { prefix } = this.#place;
    return prefix === "" ? name : `${prefix}/${name}`;
  }

  async *list(folder: string): AsyncGenerator<StoredFile> {
    const root = this.#at("");
    let token: string | undefined;
    for (let pages = 0; pages < MOST_PAGES; pages++) {
      const query = {
        "list-type": "2",
        prefix: this.#at(`${folder}/`),
        ...(token !== undefined && { "continuation-token": token }),
      };
      const { bytes } = await this.#ask({ method: "GET", query });
      let answer;
      try {
        answer = parseXml(new TextDecoder().decode(bytes));
      } catch (error) {
        if (!(error instanceof XmlError)) throw error;
        throw this.#unusable("its list of objects cannot be read", error);
      }
      for (const object of children(answer, "Contents")) {
        const key = childText(object, "Key") ?? "", size = Number(childText(object, "Size"));
        const name = key.startsWith(root) ? key.slice(root.length) : "";
        // Whatever else it lists is none of ours.
        if (!name.startsWith(`${folder}/`) || !isStoreName(name) || !Number.isSafeInteger(size)) continue;
        yield { name, bytes: size };
      }
      if (childText(answer, "IsTruncated") !== "true") return;
      const next = childText(answer, "NextContinuationToken");
      if (next === undefined || next === token) break;
      token = next;
    }
    throw this.#unusable("its list of objects does not end");
  }

  async sizeOf(name: string): Promise<number | undefined> {
    const { status, length } = await this.#ask({ method: "HEAD", name });
    return status === 404 ? undefined : length ?? 0;
  }

  async read(name: string, most: number): Promise<Uint8Array<ArrayBuffer>> {
    const { status, bytes } = await this.#ask({ method: "GET", name, most });
    if (status === 404) throw new Deno.errors.NotFound(`${name} is not there`);
    return bytes;
  }

  async write(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#ask({ method: "PUT", name, body: bytes });
  }

  async move(from: string, to: string): Promise<void> {
    const source = encodeURI(`/${this.#place.bucket}/${this.#at(from)}`);
    const { status } = await this.#ask({ method: "PUT", name: to, headers: { "x-amz-copy-source": source } });
    if (status !== 404) await this.remove(from);
  }

  async remove(name: string): Promise<void> {
    await this.#ask({ method: "DELETE", name });
  }

  async groups(): Promise<Groups> {
    const seen = new Set<string>(), whole = new Set<string>();
    for await (const { name } of this.list(COPIES)) {
      const [, group = "", file] = name.split("/");
      const id = group.startsWith(PARTIAL) ? group.slice(PARTIAL.length) : group;
      if (!isCopyId(id)) continue;
      seen.add(group);
      if (file === LAST_FILE) whole.add(group);
    }
    const partial = [...seen].filter((group) => !whole.has(group))
      .map((group) => group.startsWith(PARTIAL) ? group.slice(PARTIAL.length) : group);
    return { whole: [...whole], partial: [...new Set(partial)] };
  }

  async beginGroup(id: string): Promise<void> {
    await this.write(`${COPIES}/${PARTIAL}${id}`, new Uint8Array());
  }

  async finishGroup(id: string, files: GroupFiles): Promise<void> {
    for (const [name, bytes] of files) await this.write(`${COPIES}/${id}/${name}`, bytes);
    await this.remove(`${COPIES}/${PARTIAL}${id}`);
  }

  async removeGroup(id: string): Promise<void> {
    await this.remove(`${COPIES}/${id}/${LAST_FILE}`);
    await this.abandonGroup(id);
  }

  async abandonGroup(id: string): Promise<void> {
    const files = await Array.fromAsync(this.list(`${COPIES}/${id}`));
    const isWhole = files.some(({ name }) => name.endsWith(`/${LAST_FILE}`));
    if (!isWhole) { for (const { name } of files) await this.remove(name); }
    await this.remove(`${COPIES}/${PARTIAL}${id}`);
  }

  freeBytes(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  lock(what: LockName, alone: boolean): Promise<StoreLock | undefined> {
    return this.#leases.lock(what, alone);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** The code of a refusal; empty where there is none. */
function codeIn(text: string): string {
  try {
    const answer = parseXml(text);
    return childText(answer.name === "Error" ? answer : child(answer, "Error"), "Code") ?? "";
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    return "";
  }
}
