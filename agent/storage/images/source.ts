/** A file on another host as one stream: when the connection breaks off, it goes on where it was. */
import { ContractError } from "../../../lib/contract/mod.ts";
import type { JobHandle } from "../../jobs/jobs.ts";
import { BrokenOff } from "../../outbound/errors.ts";
import { ask, type Fetched, type OutboundRequest, shownUrl } from "../../outbound/fetch.ts";
import { pause } from "../../within.ts";
import { message, type Sentence } from "../../../lib/i18n/message.ts";

/** Milliseconds before each further try; the last one counts for all that follow. */
const BACK_OFF_MS = [500, 1000, 2000, 5000, 10_000, 20_000, 30_000] as const;
/** Tries without a single byte more before it is given up. */
const MOST_TRIES = 8;

/** The remote file is not the one that the download began with: the download must begin again. */
export class SourceChanged extends Error {
  override readonly name = "SourceChanged";
}

const failed = (url: string, error: Sentence, cause?: unknown) =>
  new ContractError("ImageFetchFailed", { url: shownUrl(url), error }, { cause });

/** A whole number of a header; null when it is none. */
const integer = (text: string | undefined) =>
  text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;

export class DownloadSource {
  readonly #ask: OutboundRequest;
  readonly #job: JobHandle;
  #answer: Fetched;
  #isClosed = false;
  /** ETag or date that identifies the remote file. */
  readonly #validator: string | undefined;
  /** Bytes of the file; null while unknown. */
  readonly size: number | null;
  /** Bytes that came. */
  received = 0;

  private constructor(asked: OutboundRequest, job: JobHandle, answer: Fetched) {
    this.#ask = asked;
    this.#job = job;
    this.#answer = answer;
    this.size = integer(answer.header("content-length"));
    const tag = answer.header("etag");
    // A weak tag says "much the same", which is not enough for the rest of a file.
    this.#validator = tag !== undefined && !tag.startsWith("W/") ? tag : answer.header("last-modified");
  }

  /** Asks for the file. @throws {ContractError} ImageFetchFailed, and what {@link ask} throws */
  static async open(asked: OutboundRequest, job: JobHandle): Promise<DownloadSource> {
    try {
      const answer = await ask({ ...asked, signal: job.signal });
      if (answer.status !== 200) {
        await answer[Symbol.asyncDispose]();
        throw failed(answer.url, `the server says HTTP ${answer.status}`);
      }
      return new DownloadSource(asked, job, answer);
    } catch (error) {
      if (error instanceof BrokenOff) throw failed(asked.url, error.message, error);
      throw error;
    }
  }

  /**
   * The file's pieces, all of them.
   *
   * @throws {ContractError} ImageFetchFailed and what {@link ask} throws @throws {SourceChanged}
   */
  async *content(): AsyncGenerator<Uint8Array> {
    let tries = 0;
    try {
      while (true) {
        const before = this.received;
        try {
          for await (const piece of this.#answer.content()) {
            this.received += piece.length;
            if (this.size !== null && this.received > this.size) {
              throw failed(this.#answer.url, `more than the announced ${this.size} bytes came`);
            }
            yield piece;
          }
          if (this.size === null || this.received === this.size) return;
          throw new BrokenOff("the connection broke off");
        } catch (error) {
          if (!(error instanceof BrokenOff) || this.#isClosed) throw error;
          if (this.received > before) tries = 0;
          tries = await this.#goOn(error, tries);
        }
      }
    } finally {
      await this.#answer[Symbol.asyncDispose]();
    }
  }

  /** Opens the rest of the file, trying until it works or enough is enough. @returns how many tries it took */
  async #goOn(broken: BrokenOff, triesBefore: number): Promise<number> {
    const { signal } = this.#job;
    let why = broken.message;
    for (let tries = triesBefore; tries < MOST_TRIES; tries++) {
      const wait = BACK_OFF_MS[Math.min(tries, BACK_OFF_MS.length - 1)]!;
      this.#job.log(message`At byte ${this.received}: ${why}. Trying again in ${wait / 1000} s`);
      await pause(wait, signal);
      signal.throwIfAborted();
      try {
        await this.#answer[Symbol.asyncDispose]();
        this.#answer = await this.#rest();
        return tries + 1;
      } catch (error) {
        if (!(error instanceof BrokenOff)) throw error;
        why = error.message;
      }
    }
    throw failed(this.#ask.url, `${why}, ${MOST_TRIES} times at byte ${this.received}`, broken);
  }

  /** Asks for what is missing. @throws {BrokenOff} @throws {SourceChanged} */
  async #rest(): Promise<Fetched> {
    if (this.received > 0 && this.#validator === undefined) throw new SourceChanged();
    const answer = await ask({
      ...this.#ask,
      signal: this.#job.signal,
      headers: this.received === 0
        ? {}
        : { range: `bytes=${this.received}-`, "if-range": this.#validator ?? "" },
    });
    const { status, url } = answer;
    if (status === 200 && this.received === 0) return answer;
    if (status === 206) {
      const [, first, size] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(answer.header("content-range") ?? "") ?? [];
      if (integer(first) === this.received && (this.size === null || integer(size) === this.size)) {
        return answer;
      }
    }
    await answer[Symbol.asyncDispose]();
    if (status === 200 || status === 206 || status === 416) throw new SourceChanged();
    if (status >= 500 || status === 429 || status === 408) {
      throw new BrokenOff(`the server says HTTP ${status}`);
    }
    throw failed(url, `the server says HTTP ${status} to the rest of it`);
  }

  /** Ends it, wherever it is. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#answer[Symbol.asyncDispose]();
  }
}
