/**
 * The files by which hosts are reached with OpenSSH's client: KVM Manager's own key, the host keys that a person has
 * compared, and the configuration that has ssh use them. The user's own configuration holds for all that it leaves open.
 */
import { isSystemError, isTaken, undefinedIfMissing } from "../../machine/files.ts";
import { quoted } from "../../../lib/text/shell_word.ts";
import { log } from "../../log.ts";
import { runProgram } from "../../machine/programs.ts";
import type { Secrets } from "../../sealing/secrets.ts";

/** Milliseconds in which a key is made. */
const KEY_MS = 10_000;
/** Bytes of a folder in which ssh can have a socket: of 107, without its name of 44 and what ssh adds to it at first. */
const MOST_FOLDER = 107 - 45 - 17;
/** Seconds that ssh takes to connect, between signs of life, and for which a connection that is not used stays open. */
const CONNECT_S = 10, ALIVE_S = 15, PERSIST_S = 60;

/** A path in ssh's configuration. */
const escaped = (path: string) => path.replaceAll("%", "%%").replaceAll('"', '\\"');
export const inConfig = (path: string) => `"${escaped(path)}"`;

/** Name by which the key is sealed, also that of one that is to take its place. */
const KEY_NAME = "ssh/id_ed25519";

export class SshFiles {
  readonly folder: string;
  readonly knownHosts: string;
  readonly #runtimeDir: string;
  readonly #secrets: Pick<Secrets, "closedText" | "openedText">;
  /** Whether the key is one that is to take the place of another. */
  readonly #isNext: boolean;
  #making: Promise<void> | undefined;
  #shortFolder: string | undefined;

  /**
   * @param dataDir folder of the key
   * @param runtimeDir folder of connections' sockets, and of the key as ssh reads it
   * @param secrets seals the key in the data folder
   * @param knownHosts the host keys that were compared; a file of its own if left out
   */
  constructor(
    dataDir: string,
    runtimeDir: string,
    secrets: Pick<Secrets, "closedText" | "openedText">,
    knownHosts?: string,
  ) {
    this.#secrets = secrets;
    this.#isNext = knownHosts !== undefined;
    this.folder = `${dataDir}/ssh`;
    this.knownHosts = knownHosts ?? `${this.folder}/known_hosts`;
    this.#runtimeDir = runtimeDir;
  }

  /** The private key, sealed. */
  get key(): string {
    return `${this.folder}/id_ed25519`;
  }

  /** The private key as ssh reads it: in the runtime folder, which no backup has. */
  get #plainKey(): string {
    return `${this.#runtimeDir}/${this.#isNext ? "ssh-key-next" : "ssh-key"}`;
  }

  /** The folder of a key that is to take the place of this one. */
  get #nextFolder(): string {
    return `${this.folder}/next`;
  }

  /** The configuration, for `ssh -F`. */
  get config(): string {
    return `${this.folder}/config`;
  }

  /** A program that is ssh with that configuration: libvirt takes one program and no options. */
  get program(): string {
    return `${this.folder}/ssh`;
  }

  /** A program that says the password which ssh asks for: it is in its environment. */
  get askPassword(): string {
    return `${this.folder}/ask-password`;
  }

  /** A path for a socket that one process listens at. */
  async socket(): Promise<string> {
    return `${await this.#sockets()}/ssh-${crypto.randomUUID().slice(0, 8)}.sock`;
  }

  /** Makes what is missing, the key above all. @throws system errors; {Error} with what ssh-keygen said */
  async ready(): Promise<void> {
    this.#making ??= this.#make();
    try {
      await this.#making;
    } catch (error) {
      this.#making = undefined;
      throw error;
    }
  }

  /** The public key, as a line of authorized_keys. @throws as {@link SshFiles.ready} */
  async publicKey(): Promise<string> {
    await this.ready();
    return (await Deno.readTextFile(`${this.key}.pub`)).trim();
  }

  /** Files like these, of another key that is to take the place of this one. @throws as {@link SshFiles.ready} */
  async successor(): Promise<SshFiles> {
    await this.dropSuccessor();
    const next = new SshFiles(this.#nextFolder, this.#runtimeDir, this.#secrets, this.knownHosts);
    await next.ready();
    return next;
  }

  /** Has the key of a successor take the place of this one. @throws system errors */
  async adopt(next: SshFiles): Promise<void> {
    await Deno.rename(next.key, this.key);
    await this.#finishAdoption();
    await this.#unpackKey();
    await next.stop();
  }

  /** Removes a successor and its key. @throws system errors */
  async dropSuccessor(): Promise<void> {
    await undefinedIfMissing(Deno.remove(this.#nextFolder, { recursive: true }));
  }

  /** Has the public key follow the private one, where that has been taken from a successor. */
  async #finishAdoption(): Promise<void> {
    const next = `${this.#nextFolder}/ssh/id_ed25519`;
    if (await isTaken(next) || !await isTaken(`${next}.pub`)) return;
    await Deno.rename(`${next}.pub`, `${this.key}.pub`);
    await this.dropSuccessor();
  }

  async #make(): Promise<void> {
    for (const folder of [this.folder, this.#runtimeDir]) {
      await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    }
    await this.#finishAdoption();
    await this.#makeKey();
    await this.#unpackKey();
    await this.#write(this.config, this.#configText(await this.#sockets(), this.#plainKey), 0o600);
    await this.#write(this.askPassword, `#!/bin/sh\nprintf '%s\\n' "$KVMM_SSH_PASSWORD"\n`, 0o700);
    await this.#write(this.program, `#!/bin/sh\nexec ssh -F ${quoted(this.config)} "$@"\n`, 0o700);
  }

  /** The folder for sockets: the runtime folder, unless its path is longer than the kernel takes. */
  async #sockets(): Promise<string> {
    if (this.#runtimeDir.length <= MOST_FOLDER) return this.#runtimeDir;
    return this.#shortFolder ??= await Deno.makeTempDir({ prefix: "kvmm-ssh-" });
  }

  /** Removes what is of this run alone. */
  async stop(): Promise<void> {
    try {
      if (this.#making !== undefined) await undefinedIfMissing(Deno.remove(this.#plainKey));
    } catch (error) {
      log.warn("the SSH key stays in the runtime folder", { error });
    }
    if (this.#shortFolder === undefined) return;
    try {
      await Deno.remove(this.#shortFolder, { recursive: true });
    } catch (error) {
      log.warn("a folder of SSH sockets stays", { folder: this.#shortFolder, error });
    }
    this.#shortFolder = undefined;
  }

  async #makeKey(): Promise<void> {
    if (await isTaken(this.key)) return;
    const comment = `kvm-manager@${Deno.hostname()}`;
    const made = `${this.#runtimeDir}/ssh-key-${crypto.randomUUID().slice(0, 8)}`;
    const args = ["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", made];
    const { success, stderr } = await runProgram("ssh-keygen", args, { limitMs: KEY_MS });
    try {
      if (!success) throw new Error(`ssh-keygen made no key: ${stderr.trim()}`);
      const sealed = this.#secrets.closedText(KEY_NAME, await Deno.readTextFile(made));
      await this.#write(`${this.key}.pub`, await Deno.readTextFile(`${made}.pub`), 0o644);
      await this.#write(this.key, sealed, 0o600);
    } finally {
      for (const each of [made, `${made}.pub`]) await undefinedIfMissing(Deno.remove(each));
    }
  }

  /** Puts the key where ssh reads it. @throws {ContractError} SecretUnreadable */
  async #unpackKey(): Promise<void> {
    const key = this.#secrets.openedText(KEY_NAME, await Deno.readTextFile(this.key));
    await this.#write(this.#plainKey, key, 0o600);
  }

  #configText(sockets: string, plainKey: string): string {
    return [
      `IdentityFile ${inConfig(plainKey)}`,
      `UserKnownHostsFile ${inConfig(this.knownHosts)} ~/.ssh/known_hosts`,
      "StrictHostKeyChecking yes",
      "BatchMode yes",
      `ConnectTimeout ${CONNECT_S}`,
      `ServerAliveInterval ${ALIVE_S}`,
      "ServerAliveCountMax 3",
      "ControlMaster auto",
      `ControlPath "${escaped(sockets)}/ssh-%C"`,
      `ControlPersist ${PERSIST_S}`,
      "Include ~/.ssh/config",
      "Include /etc/ssh/ssh_config",
      "",
    ].join("\n");
  }

  /** Puts a file in its place whole. */
  async #write(path: string, text: string, mode: number): Promise<void> {
    const made = `${path}.new`;
    await Deno.writeTextFile(made, text, { mode });
    await Deno.chmod(made, mode);
    await Deno.rename(made, path);
  }

  /** Knows a host by this line of known_hosts alone. @param name of the host in it */
  async pin(name: string, line: string): Promise<void> {
    await this.ready();
    await this.unpin(name);
    await Deno.writeTextFile(this.knownHosts, `${line}\n`, { append: true, mode: 0o600 });
  }

  /** Forgets the host key that was compared of a host. */
  async unpin(name: string): Promise<void> {
    await runProgram("ssh-keygen", ["-R", name, "-f", this.knownHosts], { limitMs: KEY_MS });
    await Deno.remove(`${this.knownHosts}.old`).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
}

/** Why the files cannot be made, for people; undefined for a fault of our own. */
export function sshFilesFault(error: unknown): string | undefined {
  if (error instanceof Deno.errors.NotFound) {
    return "OpenSSH's client is not installed on the host of KVM Manager";
  }
  return isSystemError(error) && error instanceof Error ? error.message : undefined;
}
