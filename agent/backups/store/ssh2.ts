/**
 * Types of the parts of ssh2 that we use, which is loaded only when a target is on another host. Source: its
 * README and SFTP.md.
 */
import type { Buffer } from "node:buffer";
import type { Socket } from "node:net";

/** How an answer comes. */
export type Give<T> = (error: Error | null | undefined, value?: T) => void;
/** An open file or folder of the server. */
export type SftpHandle = Uint8Array & { readonly handle?: never };

export interface Stats {
  readonly size: number;
  isDirectory(): boolean;
  isFile(): boolean;
}

/** An entry of a folder. */
export interface Listed {
  readonly filename: string;
  readonly attrs: Stats;
}

export interface Sftp {
  lstat(path: string, give: Give<Stats>): void;
  stat(path: string, give: Give<Stats>): void;
  mkdir(path: string, attributes: { mode: number }, give: Give<void>): void;
  rmdir(path: string, give: Give<void>): void;
  unlink(path: string, give: Give<void>): void;
  rename(from: string, to: string, give: Give<void>): void;
  /** @throws {Error} where the server does not offer it */
  ext_openssh_rename(from: string, to: string, give: Give<void>): void;
  /** @throws {Error} where the server does not offer it */
  ext_openssh_fsync(handle: SftpHandle, give: Give<void>): void;
  opendir(path: string, give: Give<SftpHandle>): void;
  readdir(handle: SftpHandle, give: Give<readonly Listed[]>): void;
  open(path: string, flags: "r", give: Give<SftpHandle>): void;
  open(path: string, flags: "w" | "wx", attributes: { mode: number }, give: Give<SftpHandle>): void;
  read(
    handle: SftpHandle,
    into: Buffer,
    offset: number,
    length: number,
    at: number,
    give: Give<number>,
  ): void;
  write(handle: SftpHandle, from: Buffer, offset: number, length: number, at: number, give: Give<void>): void;
  close(handle: SftpHandle, give: Give<void>): void;
}

export interface SshClient {
  on(event: "ready" | "close", told: () => void): this;
  on(event: "error", told: (error: Error) => void): this;
  once(event: "close", told: () => void): this;
  connect(config: {
    readonly sock: Socket;
    readonly username: string;
    readonly password?: string;
    readonly privateKey?: string;
    readonly readyTimeout: number;
    readonly keepaliveInterval: number;
    readonly keepaliveCountMax: number;
    readonly hostVerifier: (key: Uint8Array) => boolean;
  }): this;
  sftp(give: Give<Sftp>): void;
  end(): void;
}

interface Ssh2 {
  readonly Client: new () => SshClient;
}

/** Loads it. */
export async function loadSsh2(): Promise<Ssh2> {
  const { default: ssh2 } = await import("ssh2") as unknown as { readonly default: Ssh2 };
  return ssh2;
}
