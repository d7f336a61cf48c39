/** A folder of another host as a store, by SFTP. */
import { Buffer } from "node:buffer";
import { isCopyId } from "../../../lib/backup/manifest.ts";
import type { ContractError } from "../../../lib/contract/errors.ts";
import { FileRefused } from "../../machine/files.ts";
import { log } from "../../log.ts";
import { StoreLeases } from "./lease.ts";
import type { RemoteOptions } from "./s3.ts";
import { type SftpConnection, type SftpPlace, SftpSession } from "./sftp_session.ts";
import type { Listed, SftpHandle, Stats } from "./ssh2.ts";
import {
  type BackupStore,
  COPIES,
  type GroupFiles,
  type Groups,
  isStoreName,
  type LockName,
  PARTIAL,
  type StoredFile,
  type StoreLock,
  targetUnusable,
} from "./store.ts";
import { urlHost } from "../../../lib/text/url_host.ts";
import type { Sentence } from "../../../lib/i18n/message.ts";

/** Bytes of a question or an answer; as many as every server takes. */
const PIECE = 32 * 1024;
/** Questions that are on their way at once: a far host is not waited for 64 times a chunk. */
const AT_ONCE = 16;
/** Files of a folder that are taken from a list. */
const MOST_LISTED = 5_000_000;
const FOLDER = "kvm-manager-backups";

export class SftpStore implements BackupStore {
  readonly isRemote = true;
  readonly label: string;
  readonly #place: SftpPlace;
  readonly #root: string;
  readonly #leases: StoreLeases;
  readonly #session: SftpSession;
  /** Folders that are known to be there. */
  readonly #made = new Set<string>();

  constructor(place: SftpPlace, options: RemoteOptions) {
    const { user, host, port, path } = place;
    this.label = `sftp://${user}@${urlHost(host)}${port === 22 ? "" : `:${port}`}/${
      path.replace(/^\/+/, "")
    }`;
    this.#place = place;
    this.#session = new SftpSession(place, options.resolve, this.label);
    this.#root = `${path.replace(/\/+$/, "")}/${FOLDER}`;
    this.#leases = new StoreLeases(this, options.owner, options.clock);
  }

  #unusable(reason: Sentence, cause?: unknown): ContractError {
    return targetUnusable(this.label, reason, cause);
  }

  #at(name: string): string {
    return name === "" ? this.#root : `${this.#root}/${name}`;
  }

  async #missing<T>(look: Promise<T>): Promise<T | undefined> {
    try {
      return await look;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  #stat(name: string): Promise<Stats> {
    return this.#session.run((to) =>
      this.#session.ask<Stats>(to, (give) => to.sftp.lstat(this.#at(name), give))
    );
  }

  /** Makes a folder that may be there. */
  async #folder(name: string): Promise<void> {
    if (this.#made.has(name)) return;
    const info = await this.#missing(this.#stat(name));
    if (info === undefined) {
      try {
        await this.#session.run((to) =>
          this.#session.ask<void>(to, (give) => to.sftp.mkdir(this.#at(name), { mode: 0o700 }, give))
        );
      } catch (error) {
        // Somebody else, or another chunk of the same folder, made it meanwhile.
        const there = await this.#missing(this.#stat(name));
        if (there === undefined || !there.isDirectory()) throw error;
      }
    } else if (!info.isDirectory()) throw this.#unusable(`${FOLDER}/${name} in it is no folder`);
    this.#made.add(name);
  }

  async make(): Promise<void> {
    const { path } = this.#place;
    const info = await this.#missing(
      this.#session.run((to) =>
        this.#session.ask<Stats>(to, (give) => to.sftp.stat(path === "" ? "." : path, give))
      ),
    );
    if (info === undefined || !info.isDirectory()) throw this.#unusable("there is no such folder");
    for (const name of ["", "chunks", COPIES, "locks"]) await this.#folder(name);
  }

  async open(): Promise<void> {
    const info = await this.#missing(this.#stat(""));
    if (info === undefined) throw this.#unusable("its backups are not there");
    if (!info.isDirectory()) throw this.#unusable(`${FOLDER} in it is no folder`);
  }

  async *list(folder: string): AsyncGenerator<StoredFile> {
    yield* this.#below(folder, 3);
  }

  async *#below(folder: string, depth: number): AsyncGenerator<StoredFile> {
    for (const { name, attributes } of await this.#entries(folder)) {
      const path = `${folder}/${name}`;
      // A server may name whatever it likes, and lead elsewhere by links.
      if (!isStoreName(path)) continue;
      if (attributes.isDirectory() && depth > 1) yield* this.#below(path, depth - 1);
      else if (attributes.isFile()) yield { name: path, bytes: attributes.size };
    }
  }

  async #entries(folder: string): Promise<{ readonly name: string; readonly attributes: Stats }[]> {
    const found = await this.#missing(this.#session.run(async (to) => {
      const handle = await this.#session.ask<SftpHandle>(
        to,
        (give) => to.sftp.opendir(this.#at(folder), give),
      );
      const all: { name: string; attributes: Stats }[] = [];
      try {
        for (;;) {
          const part = await this.#session.ask<readonly Listed[] | false>(
            to,
            (give) =>
              to.sftp.readdir(handle, (error, list) => {
                const isEnd = (error as { code?: number } | undefined)?.code === 1;
                give(isEnd ? null : error, isEnd ? false : list);
              }),
          );
          if (part === false) return all;
          for (const { filename, attrs } of part) {
            if (filename !== "." && filename !== "..") {
              all.push({ name: filename, attributes: attrs });
            }
          }
          if (all.length > MOST_LISTED) throw this.#unusable("its list of files does not end");
        }
      } finally {
        to.sftp.close(handle, () => {/* it is only read */});
      }
    }));
    return found ?? [];
  }

  async sizeOf(name: string): Promise<number | undefined> {
    const info = await this.#missing(this.#stat(name));
    return info?.isFile() ? info.size : undefined;
  }

  async read(name: string, most: number): Promise<Uint8Array<ArrayBuffer>> {
    const info = await this.#stat(name);
    if (!info.isFile()) throw new FileRefused("it holds something that is no regular file");
    if (info.size > most) throw new FileRefused("a file of it is too large");
    return await this.#session.run(async (to) => {
      const handle = await this.#session.ask<SftpHandle>(
        to,
        (give) => to.sftp.open(this.#at(name), "r", give),
      );
      try {
        const bytes = new Uint8Array(info.size);
        let isShort = false;
        await this.#pieces(bytes.length, async (at, length) => {
          for (let done = 0; done < length;) {
            const part = Buffer.alloc(length - done);
            const read = await this.#session.ask<number>(
              to,
              (give) =>
                to.sftp.read(
                  handle,
                  part,
                  0,
                  part.length,
                  at + done,
                  (error, n) => {
                    const isEnd = (error as { code?: number } | undefined)?.code === 1;
                    give(isEnd ? null : error, isEnd ? 0 : n);
                  },
                ),
            );
            if (read === 0) return void (isShort = true);
            bytes.set(part.subarray(0, read), at + done);
            done += read;
          }
        });
        if (isShort) throw new FileRefused("a file of it is shorter than it says");
        return bytes;
      } finally {
        to.sftp.close(handle, () => {/* it is only read */});
      }
    });
  }

  /** Works on pieces of so many bytes, several at once. */
  async #pieces(bytes: number, work: (at: number, length: number) => Promise<void>): Promise<void> {
    let next = 0;
    const worker = async () => {
      while (next < bytes) {
        const at = next, length = Math.min(PIECE, bytes - at);
        next += length;
        await work(at, length);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }

  async write(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const folder = name.split("/").slice(0, -1).join("/");
    await this.#folder(folder);
    await this.#put(name, `${folder === "" ? "" : `${folder}/`}${PARTIAL}${crypto.randomUUID()}`, bytes);
  }

  /** Writes a file under another name, and gives it its own once it is whole. */
  async #put(name: string, partial: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    try {
      // The library takes nothing else.
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
      await this.#session.run(async (to) => {
        const handle = await this.#session.ask<SftpHandle>(
          to,
          (give) => to.sftp.open(this.#at(partial), "w", { mode: 0o600 }, give),
        );
        try {
          await this.#pieces(
            bytes.length,
            (at, length) =>
              this.#session.ask<void>(to, (give) => to.sftp.write(handle, buffer, at, length, at, give)),
          );
          await this.#flush(to, handle);
        } catch (error) {
          // What is open still, keeps its room there.
          to.sftp.close(handle, () => {/* the first failure is told */});
          throw error;
        }
        await this.#session.ask<void>(to, (give) => to.sftp.close(handle, give));
      });
      await this.#rename(partial, name);
    } catch (error) {
      await this.remove(partial).catch((left) =>
        log.debug("a file of a backup target that is not whole could not be removed", { error: left })
      );
      throw error;
    }
  }

  /** Has the server write a file to its disk, where it can be asked to: a copy is told as made, and relied on. */
  async #flush(to: SftpConnection, handle: SftpHandle): Promise<void> {
    await this.#session.ask<void>(to, (give) => {
      try {
        to.sftp.ext_openssh_fsync(handle, give);
      } catch (error) {
        log.debug("a backup target does not flush files", { error });
        give(undefined);
      }
    });
  }

  /** Gives a file or folder another name, in the place of what has it. */
  async #rename(from: string, to: string): Promise<void> {
    await this.#session.run((at) =>
      this.#session.ask<void>(at, (give) => {
        try {
          at.sftp.ext_openssh_rename(this.#at(from), this.#at(to), give);
        } catch (error) {
          // Servers without OpenSSH's own way: theirs replaces no file, which suits new files.
          log.debug("a backup target does not replace files", { error });
          at.sftp.rename(this.#at(from), this.#at(to), give);
        }
      })
    );
  }

  async move(from: string, to: string): Promise<void> {
    await this.#missing(this.#rename(from, to));
  }

  async remove(name: string): Promise<void> {
    await this.#missing(
      this.#session.run((to) => this.#session.ask<void>(to, (give) => to.sftp.unlink(this.#at(name), give))),
    );
  }

  async groups(): Promise<Groups> {
    const whole: string[] = [], partial: string[] = [];
    for (const { name, attributes } of await this.#entries(COPIES)) {
      const isPartial = name.startsWith(PARTIAL), id = isPartial ? name.slice(PARTIAL.length) : name;
      if (!isCopyId(id)) continue;
      if (isPartial) partial.push(id);
      else if (attributes.isDirectory()) whole.push(id);
    }
    return { whole, partial };
  }

  async beginGroup(id: string): Promise<void> {
    await this.#folder(`${COPIES}/${PARTIAL}${id}`);
  }

  async finishGroup(id: string, files: GroupFiles): Promise<void> {
    const partial = `${COPIES}/${PARTIAL}${id}`;
    for (const [name, bytes] of files) {
      await this.#put(`${partial}/${name}`, `${partial}/${PARTIAL}${name}`, bytes);
    }
    await this.#rename(partial, `${COPIES}/${id}`);
    this.#made.delete(partial);
  }

  async removeGroup(id: string): Promise<void> {
    await this.#rename(`${COPIES}/${id}`, `${COPIES}/${PARTIAL}${id}`);
    await this.abandonGroup(id);
  }

  async abandonGroup(id: string): Promise<void> {
    const folder = `${COPIES}/${PARTIAL}${id}`;
    for (const { name } of await this.#entries(folder)) {
      if (isStoreName(`${folder}/${name}`)) await this.remove(`${folder}/${name}`);
    }
    await this.#missing(
      this.#session.run((to) => this.#session.ask<void>(to, (give) => to.sftp.rmdir(this.#at(folder), give))),
    );
    this.#made.delete(folder);
  }

  freeBytes(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  lock(what: LockName, alone: boolean): Promise<StoreLock | undefined> {
    return this.#leases.lock(what, alone);
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}
