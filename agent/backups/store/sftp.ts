/**
 * A folder of another host as a store, by SFTP. The host is known by its key: one that has another key is not spoken to.
 * A connection is made to an address that was judged, and begun again once where it broke off.
 */
import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import net from "node:net";
import { isCopyId } from "../../../lib/backup/manifest.ts";
import { ContractError } from "../../../lib/contract/errors.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { Mutex } from "../../../lib/mutex.ts";
import { FileRefused } from "../../machine/files.ts";
import { log } from "../../log.ts";
import { BrokenOff, outboundRefusal } from "../../outbound/errors.ts";
import { requireAllowedAddress } from "../../outbound/fetch.ts";
import { sshFingerprint } from "../../outbound/ssh_fingerprint.ts";
import { StoreLeases } from "./lease.ts";
import type { RemoteOptions } from "./s3.ts";
import {
  type Give,
  type Listed,
  loadSsh2,
  type Sftp,
  type SftpHandle,
  type SshClient,
  type Stats,
} from "./ssh2.ts";
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

/** Address of the folder, and the login. */
export interface SftpPlace {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  /** OpenSSH's format, without a passphrase. */
  readonly privateKey: string | undefined;
  /** `SHA256:…` as ssh-keygen -l shows it; undefined: it is asked for, and no session is opened. */
  readonly hostKey: string | undefined;
  /** The folder, from the host's root or from the user's own folder. */
  readonly path: string;
  readonly privateAddresses: boolean;
}

/** Milliseconds to connect and sign in; for one question. */
const CONNECT_MS = 20_000, ANSWER_MS = 60_000;
/** Milliseconds that the other side may take to end a connection. */
const END_MS = 2_000;
/** Bytes of a question or an answer; as many as every server takes. */
const PIECE = 32 * 1024;
/** Questions that are on their way at once: a far host is not waited for 64 times a chunk. */
const AT_ONCE = 16;
/** Files of a folder that are taken from a list. */
const MOST_LISTED = 5_000_000;
const FOLDER = "kvm-manager-backups";
/** Status of an answer: draft-ietf-secsh-filexfer-02. */
const NO_SUCH_FILE = 2, PERMISSION_DENIED = 3;

/** Whether two texts are the same, in a time that does not tell where they differ. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => createHash("sha256").update(text).digest());
  return timingSafeEqual(a!, b!);
}

/** The connection is gone: another one may do better. */
class Gone extends Error {
  override readonly name = "Gone";
}

interface Connection {
  readonly client: SshClient;
  readonly sftp: Sftp;
  /** Rejected once it is gone. */
  readonly gone: Promise<never>;
}

type Ask<T> = (give: Give<T>) => void;

export class SftpStore implements BackupStore {
  readonly isRemote = true;
  readonly label: string;
  readonly #place: SftpPlace;
  readonly #options: RemoteOptions;
  readonly #root: string;
  readonly #leases: StoreLeases;
  readonly #turns = new Mutex();
  #connection: Connection | undefined;
  /** Folders that are known to be there. */
  readonly #made = new Set<string>();

  constructor(place: SftpPlace, options: RemoteOptions) {
    const { user, host, port, path } = place;
    this.label = `sftp://${user}@${urlHost(host)}${port === 22 ? "" : `:${port}`}/${
      path.replace(/^\/+/, "")
    }`;
    this.#place = place;
    this.#options = options;
    this.#root = `${path.replace(/\/+$/, "")}/${FOLDER}`;
    this.#leases = new StoreLeases(this, options.owner, options.clock);
  }

  #unusable(reason: Sentence, cause?: unknown): ContractError {
    return targetUnusable(this.label, reason, cause);
  }

  /** The connection, made where there is none. */
  async #connected(): Promise<Connection> {
    return this.#connection ?? await this.#turns.run(async () => this.#connection ??= await this.#connect());
  }

  async #address(): Promise<string> {
    const { host, privateAddresses } = this.#place;
    const url = new URL(`ssh://${urlHost(host)}`);
    try {
      const { addresses } = await requireAllowedAddress(url, privateAddresses, this.#options.resolve);
      return addresses[0]!;
    } catch (error) {
      const refusal = error instanceof BrokenOff ? error.message : outboundRefusal(error);
      throw refusal === undefined ? error : this.#unusable(refusal, error);
    }
  }

  async #connect(): Promise<Connection> {
    const { Client } = await loadSsh2();
    const { port, user, password, privateKey, hostKey, host } = this.#place;
    const address = await this.#address();
    const socket = net.connect({ host: address, port });
    const client = new Client();
    let seen: string | undefined;
    const { promise: gone, reject: lose } = Promise.withResolvers<never>();
    gone.catch(() => {/* told to who asks */});
    const ready = new Promise<void>((resolve, reject) => {
      const fail = (error: Error) => {
        reject(error);
        lose(new Gone(messageOf(error), { cause: error }));
        this.#lost(client);
      };
      client.on("ready", resolve).on("error", fail);
      client.on("close", () => fail(new Error("the connection was closed")));
      socket.on("error", fail);
    });
    ready.catch(() => {/* told below, or by what was thrown before it */});
    const config = {
      sock: socket,
      username: user,
      readyTimeout: CONNECT_MS,
      keepaliveInterval: 15_000,
      keepaliveCountMax: 4,
      ...(password !== undefined && { password }),
      ...(privateKey !== undefined && { privateKey }),
      hostVerifier: (key: Uint8Array) => {
        seen = sshFingerprint(key);
        return hostKey !== undefined && isSame(seen, hostKey);
      },
    };
    try {
      // What is wrong with a private key is thrown.
      client.connect(config);
      await ready;
      const sftp = await new Promise<Sftp>((resolve, reject) =>
        client.sftp((error, made) => error ? reject(error) : resolve(made!))
      );
      return { client, sftp, gone };
    } catch (error) {
      client.end();
      socket.destroy();
      if (seen !== undefined && (hostKey === undefined || !isSame(seen, hostKey))) {
        throw hostKey === undefined
          ? new ContractError("BackupHostKeyUnknown", { host, key: seen })
          : new ContractError("BackupHostKeyChanged", { host, key: seen, before: hostKey });
      }
      const { level } = error as { level?: string };
      const reason = level === "client-authentication"
        ? "it refuses the user name, the password or the key"
        : /parse|passphrase|encrypted/i.test(messageOf(error))
        ? "the private key cannot be read: it has to be in OpenSSH's format, without a passphrase"
        : messageOf(error);
      throw this.#unusable(oneLine(reason, 200), error);
    }
  }

  #lost(client: SshClient): void {
    if (this.#connection?.client === client) this.#connection = undefined;
  }

  /** Sends one request. @throws errors of the server, {Gone} */
  async #question<T>({ gone }: Connection, ask: Ask<T>): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Gone(`no answer within ${ANSWER_MS / 1000} seconds`)), ANSWER_MS);
    });
    const answer = new Promise<T>((resolve, reject) =>
      ask((error, value) => error ? reject(error) : resolve(value!))
    );
    try {
      return await Promise.race([answer, gone, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Works with the connection; once more with another one, where it is gone. */
  async #do<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    for (let tries = 0;; tries++) {
      const connection = await this.#connected();
      try {
        return await work(connection);
      } catch (error) {
        if (error instanceof ContractError || error instanceof FileRefused) throw error;
        if (error instanceof Deno.errors.NotFound) throw error;
        const { code } = error as { code?: unknown };
        if (code === NO_SUCH_FILE) throw new Deno.errors.NotFound(messageOf(error), { cause: error });
        if (code === PERMISSION_DENIED) throw this.#unusable("the user may not do that there", error);
        const isGone = error instanceof Gone || !this.#isLive(connection);
        if (!isGone) {
          // Servers have no word of their own for it: OpenSSH says "Failure" for a disk that is full.
          const text = messageOf(error);
          const reason = /^failure$/i.test(text) ? "it refuses to write: it may be full or read-only" : text;
          throw this.#unusable(oneLine(reason, 200), error);
        }
        connection.client.end();
        this.#lost(connection.client);
        if (tries > 0) throw this.#unusable(oneLine(messageOf(error), 200), error);
        log.debug("a connection to a backup target is made again", { target: this.label, error });
      }
    }
  }

  #isLive({ client }: Connection): boolean {
    return this.#connection?.client === client;
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
    return this.#do((to) => this.#question<Stats>(to, (give) => to.sftp.lstat(this.#at(name), give)));
  }

  /** Makes a folder that may be there. */
  async #folder(name: string): Promise<void> {
    if (this.#made.has(name)) return;
    const info = await this.#missing(this.#stat(name));
    if (info === undefined) {
      try {
        await this.#do((to) =>
          this.#question<void>(to, (give) => to.sftp.mkdir(this.#at(name), { mode: 0o700 }, give))
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
      this.#do((to) => this.#question<Stats>(to, (give) => to.sftp.stat(path === "" ? "." : path, give))),
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
    const found = await this.#missing(this.#do(async (to) => {
      const handle = await this.#question<SftpHandle>(to, (give) => to.sftp.opendir(this.#at(folder), give));
      const all: { name: string; attributes: Stats }[] = [];
      try {
        for (;;) {
          const part = await this.#question<readonly Listed[] | false>(
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
    return await this.#do(async (to) => {
      const handle = await this.#question<SftpHandle>(to, (give) => to.sftp.open(this.#at(name), "r", give));
      try {
        const bytes = new Uint8Array(info.size);
        let isShort = false;
        await this.#pieces(bytes.length, async (at, length) => {
          for (let done = 0; done < length;) {
            const part = Buffer.alloc(length - done);
            const read = await this.#question<number>(
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
      await this.#do(async (to) => {
        const handle = await this.#question<SftpHandle>(
          to,
          (give) => to.sftp.open(this.#at(partial), "w", { mode: 0o600 }, give),
        );
        try {
          await this.#pieces(
            bytes.length,
            (at, length) =>
              this.#question<void>(to, (give) => to.sftp.write(handle, buffer, at, length, at, give)),
          );
          await this.#flush(to, handle);
        } catch (error) {
          // What is open still, keeps its room there.
          to.sftp.close(handle, () => {/* the first failure is told */});
          throw error;
        }
        await this.#question<void>(to, (give) => to.sftp.close(handle, give));
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
  async #flush(to: Connection, handle: SftpHandle): Promise<void> {
    await this.#question<void>(to, (give) => {
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
    await this.#do((at) =>
      this.#question<void>(at, (give) => {
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
      this.#do((to) => this.#question<void>(to, (give) => to.sftp.unlink(this.#at(name), give))),
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
      this.#do((to) => this.#question<void>(to, (give) => to.sftp.rmdir(this.#at(folder), give))),
    );
    this.#made.delete(folder);
  }

  freeBytes(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  lock(what: LockName, alone: boolean): Promise<StoreLock | undefined> {
    return this.#leases.lock(what, alone);
  }

  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    connection.client.once("close", () => resolve());
    connection.client.end();
    const timer = setTimeout(resolve, END_MS);
    await promise;
    clearTimeout(timer);
  }
}
