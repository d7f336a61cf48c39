/**
 * A session of SFTP with another host, which is known by its key: one that has another key is not spoken to. A connection is
 * made to an address that was judged, and begun again once where it broke off.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import net from "node:net";
import { ContractError } from "../../../lib/contract/errors.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { urlHost } from "../../../lib/text/url_host.ts";
import { Mutex } from "../../../lib/mutex.ts";
import { FileRefused } from "../../machine/files.ts";
import { log } from "../../log.ts";
import { BrokenOff, outboundRefusal } from "../../outbound/errors.ts";
import { requireAllowedAddress } from "../../outbound/fetch.ts";
import { sshFingerprint } from "../../outbound/ssh_fingerprint.ts";
import type { RemoteOptions } from "./s3.ts";
import { type Give, loadSsh2, type Sftp, type SshClient } from "./ssh2.ts";
import { targetUnusable } from "./store.ts";

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

/** A connection that is signed in. */
export interface SftpConnection {
  readonly client: SshClient;
  readonly sftp: Sftp;
  /** Rejected once it is gone. */
  readonly gone: Promise<never>;
}

type Ask<T> = (give: Give<T>) => void;

/** A session: it connects when it is used first. */
export class SftpSession {
  readonly #turns = new Mutex();
  #connection: SftpConnection | undefined;

  /** @param label name of the target in errors */
  constructor(
    private readonly place: SftpPlace,
    private readonly resolve: RemoteOptions["resolve"],
    private readonly label: string,
  ) {}

  /** The connection, made where there is none. */
  async #connected(): Promise<SftpConnection> {
    return this.#connection ?? await this.#turns.run(async () => this.#connection ??= await this.#connect());
  }

  async #address(): Promise<string> {
    const { host, privateAddresses } = this.place;
    const url = new URL(`ssh://${urlHost(host)}`);
    try {
      const { addresses } = await requireAllowedAddress(url, privateAddresses, this.resolve);
      return addresses[0]!;
    } catch (error) {
      const refusal = error instanceof BrokenOff ? error.message : outboundRefusal(error);
      throw refusal === undefined ? error : targetUnusable(this.label, refusal, error);
    }
  }

  async #connect(): Promise<SftpConnection> {
    const { Client } = await loadSsh2();
    const { port, user, password, privateKey, hostKey, host } = this.place;
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
      throw targetUnusable(this.label, oneLine(reason, 200), error);
    }
  }

  #lost(client: SshClient): void {
    if (this.#connection?.client === client) this.#connection = undefined;
  }

  /** Sends one request. @throws errors of the server, {Gone} */
  async ask<T>({ gone }: SftpConnection, ask: Ask<T>): Promise<T> {
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
  async run<T>(work: (connection: SftpConnection) => Promise<T>): Promise<T> {
    for (let tries = 0;; tries++) {
      const connection = await this.#connected();
      try {
        return await work(connection);
      } catch (error) {
        if (error instanceof ContractError || error instanceof FileRefused) throw error;
        if (error instanceof Deno.errors.NotFound) throw error;
        const { code } = error as { code?: unknown };
        if (code === NO_SUCH_FILE) throw new Deno.errors.NotFound(messageOf(error), { cause: error });
        if (code === PERMISSION_DENIED) {
          throw targetUnusable(this.label, "the user may not do that there", error);
        }
        const isGone = error instanceof Gone || !this.#isLive(connection);
        if (!isGone) {
          // Servers have no word of their own for it: OpenSSH says "Failure" for a disk that is full.
          const text = messageOf(error);
          if (/^failure$/i.test(text)) {
            throw targetUnusable(this.label, "it refuses to write: it may be full or read-only", error);
          }
          throw targetUnusable(this.label, oneLine(text, 200), error);
        }
        connection.client.end();
        this.#lost(connection.client);
        if (tries > 0) throw targetUnusable(this.label, oneLine(messageOf(error), 200), error);
        log.debug("a connection to a backup target is made again", { target: this.label, error });
      }
    }
  }

  #isLive({ client }: SftpConnection): boolean {
    return this.#connection?.client === client;
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
