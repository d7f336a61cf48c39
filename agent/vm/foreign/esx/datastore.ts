/** Files of a datastore over HTTPS, by ranges. */
import { ContractError } from "../../../../lib/contract/mod.ts";
import { type DatastoreFile, folderPath } from "../../../../lib/formats/foreign/vm/vmware_place.ts";
import { messageOf } from "../../../../lib/text/message.ts";
import { oneLine } from "../../../../lib/text/text.ts";
import { type PinnedAnswer, pinnedGet } from "../../../outbound/pinned_get.ts";
import { OtherCertificate } from "../../../outbound/pinned_tls.ts";
import { LineBroken, type RemoteStretch } from "../remote/remote_disk.ts";
import { type EsxServer, unreachable } from "./place.ts";
import { message } from "../../../../lib/i18n/message.ts";

/** Milliseconds for the head of an answer, and in which something of its content must come. */
const HEAD_MS = 60_000, STALL_MS = 60_000;

/** A file as it was at a moment. */
export interface FileHead {
  readonly size: number;
  /** Mark of its state: differs after each change. */
  readonly mark: string;
}

const nameOf = ({ datastore, path }: DatastoreFile) => `[${datastore}] ${path}`;

export class Datastores {
  /** The session that the server has opened for us. */
  #cookie: string | undefined;

  constructor(
    private readonly server: EsxServer,
    private readonly login: { readonly username: string; readonly password: string },
  ) {}

  /** Its server, as people name it. */
  get label(): string {
    return this.server.label;
  }

  /** @throws {LineBroken} @throws {ContractError} SourceLoginRefused, DiskNotFound, SourceUnreachable */
  async #ask(
    method: "GET" | "HEAD",
    file: DatastoreFile,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<PinnedAnswer> {
    const { label, tls, fingerprint } = this.server, { username, password } = this.login;
    const basic = new TextEncoder().encode(`${username}:${password}`).toBase64();
    const late = new AbortController();
    const limit = setTimeout(
      () => late.abort(new LineBroken(`no answer within ${HEAD_MS / 1000} seconds`)),
      HEAD_MS,
    );
    let answer: PinnedAnswer;
    try {
      answer = await pinnedGet(tls, fingerprint, {
        method,
        path: folderPath(file),
        signal: AbortSignal.any([signal, late.signal]),
        headers: {
          host: label,
          authorization: `Basic ${basic}`,
          "accept-encoding": "identity",
          ...(this.#cookie !== undefined && { cookie: this.#cookie }),
          ...headers,
        },
      });
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof OtherCertificate) throw unreachable(label, error);
      throw error instanceof LineBroken
        ? error
        : new LineBroken(oneLine(messageOf(error), 200), { cause: error });
    } finally {
      clearTimeout(limit);
    }
    const { status } = answer;
    if (status === 200 || status === 206) {
      const [session] = answer.headers.getSetCookie();
      if (session !== undefined) this.#cookie = session.split(";")[0]!.slice(0, 4096);
      return answer;
    }
    answer[Symbol.dispose]();
    if (status === 401 && this.#cookie !== undefined) {
      // The session is over: the next question opens another one.
      this.#cookie = undefined;
      throw new LineBroken("the session ended");
    }
    if (status === 401 || status === 403) throw new ContractError("SourceLoginRefused", { source: label });
    if (status === 404) throw new ContractError("DiskNotFound", { path: nameOf(file) });
    if (status >= 500) throw new LineBroken(`it answers with HTTP ${status}`);
    throw unreachable(label, message`it answers with HTTP ${status} for ${nameOf(file)}`);
  }

  /** Size and state of a file. */
  async head(file: DatastoreFile, signal: AbortSignal): Promise<FileHead> {
    using answer = await this.#ask("HEAD", file, {}, signal);
    const { headers } = answer;
    const said = headers.get("content-length") ?? "", size = /^\d{1,15}$/.test(said) ? Number(said) : NaN;
    if (Number.isNaN(size)) {
      throw unreachable(this.server.label, message`it does not say how long ${nameOf(file)} is`);
    }
    return { size, mark: `${said} ${headers.get("last-modified") ?? ""} ${headers.get("etag") ?? ""}` };
  }

  /** Begins to read. */
  async open(
    file: DatastoreFile,
    offset: number,
    length: number,
    signal: AbortSignal,
  ): Promise<RemoteStretch> {
    const range = `bytes=${offset}-${offset + length - 1}`;
    const answer = await this.#ask("GET", file, { range }, signal);
    const [, from] = /^bytes (\d{1,15})-/.exec(answer.headers.get("content-range") ?? "") ?? [];
    const isIt = answer.status === 206 ? Number(from) === offset : offset === 0;
    const end = () => Promise.resolve(answer[Symbol.dispose]());
    if (!isIt) {
      await end();
      throw unreachable(
        this.server.label,
        message`it gives another part of ${nameOf(file)} than was asked for`,
      );
    }
    return { pieces: alive(answer, length, signal), [Symbol.asyncDispose]: end };
  }

  /** All of a small file. */
  async content(file: DatastoreFile, most: number, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const { size } = await this.head(file, signal);
    if (size > most) {
      throw new ContractError("DiskRefused", {
        path: nameOf(file),
        reason: message`its description has more than ${most} bytes`,
      });
    }
    const bytes = new Uint8Array(size);
    if (size === 0) return bytes;
    await using stretch = await this.open(file, 0, size, signal);
    let at = 0;
    for await (const piece of stretch.pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    if (at < size) throw new LineBroken(`${nameOf(file)} ended early`);
    return bytes;
  }
}

/** The first `length` bytes of an answer. @throws {LineBroken} where it breaks off or stands still */
async function* alive(answer: PinnedAnswer, length: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const content = answer.content();
  for (let left = length; left > 0;) {
    const piece = await next(content, signal);
    if (piece === undefined) return;
    yield piece.subarray(0, left);
    left -= piece.length;
  }
}

async function next(
  content: AsyncGenerator<Uint8Array>,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  signal.throwIfAborted();
  const over = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => over.reject(new LineBroken(`nothing came for ${STALL_MS / 1000} seconds`)),
    STALL_MS,
  );
  const stop = () => over.reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  try {
    const { done, value } = await Promise.race([content.next(), over.promise]);
    return done ? undefined : value;
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof LineBroken
      ? error
      : new LineBroken(oneLine(messageOf(error), 200), { cause: error });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}
