/** Files of a guest through our agent: several pieces under way at a time, each of the guest's answers bounded. */
import { type GuestFile, MOST_FILE, type VM } from "../../../lib/contract/mod.ts";
import { base64Of, bytesOfBase64 } from "../../../lib/guest/base64.ts";
import { MOST_FILES } from "../../../lib/guest/file_list.ts";
import { ownFiles } from "../../../lib/guest/own_told.ts";
import { AGENT_ERROR, CHUNKS_AHEAD, MAX_CHUNK } from "../../../lib/guest/protocol.ts";
import type { AgentMethod, AgentResult } from "../../../lib/guest/results.ts";
import { log } from "../../log.ts";
import type { GuestReader, GuestWriter } from "../backend.ts";
import type { OwnAgentClient } from "./client.ts";
import { ownFailure } from "./contract_failure.ts";
import { AgentFailure } from "./failure.ts";
import type { OwnAgentLines } from "./lines.ts";

/** Milliseconds a piece may take: a guest's disk may be slow. */
const PIECE_MS = 60_000;
/** Milliseconds a guest has for giving a handle back. */
const CLOSE_MS = 5000;
/** Milliseconds for anything else. */
const ANSWER_MS = 10_000;
/** Entries of a folder that are asked for at once. */
const PAGE = 500;

type Entry = AgentResult<"file_list">["entries"][number];

/** @throws {AgentFailure} for what is no base64, or more than was asked for */
function bytesWithin(data: string, most: number): Uint8Array<ArrayBuffer> {
  const bytes = bytesOfBase64(data);
  if (!bytes || bytes.length > most) {
    throw new AgentFailure("invalid", "its bytes are not what was asked for");
  }
  return bytes;
}

/** @throws {AgentFailure} */
async function isFolder(client: OwnAgentClient, path: string): Promise<boolean> {
  try {
    const { type } = await client.call("file_stat", { path, follow: true }, { limitMs: ANSWER_MS });
    return type === "directory";
  } catch (error) {
    if (error instanceof AgentFailure && error.code === AGENT_ERROR.NotFound) return false;
    throw error;
  }
}

/** Reads a file from its beginning, with pieces asked for before they are wanted; from elsewhere piece by piece. */
class OwnReader implements GuestReader {
  readonly #ahead: Promise<AgentResult<"chunk_read">>[] = [];
  #rest: Uint8Array<ArrayBuffer> = new Uint8Array();
  /** Offset of the handle's next piece. */
  #offset = 0;
  #isAtEnd = false;
  /** Offset that it reads from by itself, after a seek. */
  #from: number | undefined;

  constructor(
    private readonly lease: Disposable & { readonly client: OwnAgentClient },
    private readonly path: string,
    private readonly handle: number,
    readonly size: number | null,
  ) {}

  seek(offset: number): Promise<void> {
    this.#from = offset;
    return Promise.resolve();
  }

  async read(most: number): Promise<Uint8Array> {
    try {
      return this.#from === undefined ? await this.#next(most) : await this.#part(most);
    } catch (error) {
      throw ownFailure(error, { method: "chunk_read", path: this.path });
    }
  }

  async #next(most: number): Promise<Uint8Array> {
    if (this.#rest.length === 0 && !this.#isAtEnd) {
      while (this.#ahead.length < CHUNKS_AHEAD) this.#ask();
      const { offset, eof, data } = await this.#ahead.shift()!;
      const bytes = bytesWithin(data, MAX_CHUNK);
      if (offset !== this.#offset || bytes.length === 0 && !eof) {
        throw new AgentFailure("invalid", "it sent another part of the file");
      }
      this.#offset += bytes.length;
      this.#isAtEnd = eof;
      this.#rest = bytes;
    }
    const bytes = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(bytes.length);
    return bytes;
  }

  #ask(): void {
    const next = this.lease.client.call("chunk_read", { handle: this.handle, length: MAX_CHUNK }, {
      limitMs: PIECE_MS,
    });
    next.catch(() => {}); // told by who waits for it
    this.#ahead.push(next);
  }

  async #part(most: number): Promise<Uint8Array> {
    const offset = this.#from!, length = Math.min(most, MAX_CHUNK);
    const { data, ...part } = await this.lease.client.call("file_read", { path: this.path, offset, length }, {
      limitMs: PIECE_MS,
    });
    const bytes = bytesWithin(data, length);
    if (part.offset !== offset) throw new AgentFailure("invalid", "it sent another part of the file");
    this.#from = offset + bytes.length;
    return bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    using _lease = this.lease;
    await Promise.allSettled(this.#ahead);
    await this.lease.client.call("file_close", { handle: this.handle, abort: true }, { limitMs: CLOSE_MS })
      .catch((error) => log.debug("a file in a guest could not be closed", { path: this.path, error }));
  }
}

/** Writes a file that appears at its place when it is whole. */
class OwnWriter implements GuestWriter {
  readonly #ahead: Promise<unknown>[] = [];
  #offset = 0;

  constructor(
    private readonly lease: Disposable & { readonly client: OwnAgentClient },
    private readonly path: string,
    private readonly handle: number,
  ) {}

  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length; at += MAX_CHUNK) {
        const piece = bytes.subarray(at, at + MAX_CHUNK);
        if (this.#ahead.length >= CHUNKS_AHEAD) await this.#ahead.shift();
        const sent = this.lease.client.call("chunk_write", {
          handle: this.handle,
          offset: this.#offset,
          data: base64Of(piece),
        }, { limitMs: PIECE_MS });
        sent.catch(() => {}); // told by who waits for it
        this.#ahead.push(sent);
        this.#offset += piece.length;
      }
    } catch (error) {
      throw ownFailure(error, { method: "chunk_write", path: this.path });
    }
  }

  async finish(sha256: string): Promise<boolean> {
    try {
      await Promise.all(this.#ahead);
      const closed = await this.lease.client.call("file_close", { handle: this.handle, sha256 }, {
        limitMs: PIECE_MS,
      });
      if (closed.sha256 !== sha256 || closed.size !== this.#offset) {
        throw new AgentFailure("invalid", "the guest wrote something else than it was sent");
      }
    } catch (error) {
      throw ownFailure(error, { method: "file_close", path: this.path });
    }
    this.lease[Symbol.dispose]();
    return true;
  }

  async abandon(): Promise<string | undefined> {
    using _lease = this.lease;
    await Promise.allSettled(this.#ahead);
    try {
      await this.lease.client.call("file_close", { handle: this.handle, abort: true }, { limitMs: CLOSE_MS });
      return undefined;
    } catch (error) {
      // One that lives removes it with the conversation; one that was killed leaves it, under a name that says so.
      log.warn("an unfinished file may stay in a guest", { path: this.path, error });
      return `A file that ends in .kvmm-partial may stay next to ${this.path} in the guest`;
    }
  }
}

export class OwnFiles {
  constructor(private readonly lines: OwnAgentLines) {}

  /** @throws {ContractError} GuestFileNotFound, GuestFileDenied */
  async list({ id }: VM, path: string): Promise<{ files: GuestFile[]; truncated: boolean }> {
    return await this.#doing("file_list", path, () =>
      this.lines.use(id, async (client) => {
        const entries: Entry[] = [];
        for (;;) {
          const page = await client.call("file_list", { path, offset: entries.length, limit: PAGE }, {
            limitMs: ANSWER_MS,
          });
          entries.push(...page.entries.slice(0, PAGE));
          const isMore = page.has_more && page.entries.length > 0;
          if (!isMore || entries.length >= MOST_FILES) {
            const truncated = isMore || page.too_large;
            return { files: ownFiles(entries.slice(0, MOST_FILES)), truncated };
          }
        }
      }));
  }

  /** @throws {ContractError} GuestFileNotFound, GuestFileDenied */
  async open({ id }: VM, path: string): Promise<GuestReader> {
    return await this.#doing("file_open", path, async () => {
      const lease = await this.lines.lease(id);
      try {
        const { handle, size } = await lease.client.call("file_open", { path }, { limitMs: ANSWER_MS });
        // What the kernel makes up as it is read (/proc) has no size.
        return new OwnReader(lease, path, handle, size > 0 ? size : null);
      } catch (error) {
        lease[Symbol.dispose]();
        throw error;
      }
    });
  }

  /** @throws {ContractError} GuestFileNotFound, GuestFileDenied */
  async create({ id }: VM, path: string, mode: string | undefined): Promise<GuestWriter> {
    return await this.#doing("file_open", path, async () => {
      const lease = await this.lines.lease(id);
      try {
        const wish = { path, write: true, ...(mode !== undefined && { mode: parseInt(mode, 8) }) };
        const { handle } = await lease.client.call("file_open", wish, { limitMs: ANSWER_MS });
        return new OwnWriter(lease, path, handle);
      } catch (error) {
        lease[Symbol.dispose]();
        throw error;
      }
    });
  }

  /** @throws {ContractError} GuestFileDenied */
  async makeFolder({ id }: VM, path: string, mode: string | undefined): Promise<void> {
    await this.#doing("file_make_directory", path, () =>
      this.lines.use(id, async (client) => {
        // One that is there would be given the permissions
        if (await isFolder(client, path)) return;
        const wish = { path, parents: true, ...(mode !== undefined && { mode: parseInt(mode, 8) }) };
        await client.call("file_make_directory", wish, { limitMs: ANSWER_MS });
      }));
  }

  /** @throws {ContractError} GuestFileNotFound, GuestFileDenied */
  async append({ id }: VM, path: string, bytes: Uint8Array): Promise<void> {
    const content = bytes.subarray(0, MOST_FILE);
    await this.#doing("file_write", path, () =>
      this.lines.use(id, async (client) => {
        for (let at = 0; at < content.length || at === 0; at += MAX_CHUNK) {
          const data = base64Of(content.subarray(at, at + MAX_CHUNK));
          await client.call("file_write", { path, data, append: true }, { limitMs: PIECE_MS });
        }
      }));
  }

  async #doing<T>(method: AgentMethod, path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw ownFailure(error, { method, path });
    }
  }
}
