/** Copies whose files are being read: each has a VM of libguestfs for a while, a few at a time. */
import { ContractError } from "../../lib/contract/errors.ts";
import { Mutex } from "../../lib/mutex.ts";
import type { Clock } from "../clock.ts";
import { guestfsMissing, isGuestfsEmulated } from "../guestfs/guestfs.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { log } from "../log.ts";
import { FileSession } from "./file_session.ts";
import { restoreFailure, type RestoreSource } from "./make_disk.ts";
import { closing } from "./repository.ts";
import type { GuestfsFolders } from "../guestfs/guestfs.ts";
import type { Sentence } from "../../lib/i18n/message.ts";

/** Copies that are open at a time: each has a VM. */
const MOST_OPEN = 2;
/** Milliseconds after the last question until its VM is ended. */
const IDLE_MS = 120_000;

/** Services of file sessions. */
export interface FileSessionsOptions {
  readonly clock: Clock;
  readonly host: () => LibvirtHost;
  /** Folders of libguestfs. */
  readonly guestfs: GuestfsFolders;
}

interface Entry {
  readonly session: Promise<FileSession>;
  /** Whether it could not be opened, or has ended. */
  readonly isOver: () => boolean;
  /** Whether it is being opened, or answers somebody. */
  readonly isBusy: () => boolean;
  /** Ends it, and gives the folder back. */
  readonly end: () => Promise<void>;
  cancelIdle: () => void;
}

const notPossible = (reason: Sentence) => new ContractError("BackupFilesNotPossible", { reason });

export class FileSessions {
  /** By id of the copy; the one that was asked last is the last. */
  readonly #open = new Map<string, Entry>();
  /** Two who ask at once must not begin two sessions of one copy. */
  readonly #turns = new Mutex();

  constructor(private readonly options: FileSessionsOptions) {}

  /**
   * Asks for files of a copy. The stores that are given are closed once they are no longer read.
   *
   * @param source opens the copy; called again where somebody who left in the middle of a download ended the session meanwhile
   * @throws {ContractError} BackupFilesNotPossible, BackupFilesFailed, BackupFolderBusy, BackupDamaged
   */
  async ask<T>(source: () => Promise<RestoreSource>, work: (session: FileSession) => Promise<T>): Promise<T> {
    const session = await this.#of(await source());
    try {
      return await work(session);
    } catch (error) {
      if (!session.isAbandoned) throw error;
      return await work(await this.#of(await source()));
    }
  }

  /** The session of a copy, opened where there is none. */
  async #of(source: RestoreSource): Promise<FileSession> {
    const { id } = source.copy;
    const entry = await this.#turns.run(() => this.#find(source));
    entry.cancelIdle();
    try {
      const session = await entry.session;
      this.#endWhenIdle(id, entry, session);
      return session;
    } catch (error) {
      if (this.#open.get(id) === entry) await this.#close(id);
      throw restoreFailure(error, "list_backup_files");
    }
  }

  /** The open session of a copy, or a new one. */
  async #find(source: RestoreSource): Promise<Entry> {
    const { id } = source.copy;
    if (this.#open.get(id)?.isOver()) await this.#close(id);
    let entry = this.#open.get(id);
    if (entry === undefined) {
      await this.#requireBegin(source);
      entry = this.#begin(source);
    } else await source.repository.store.close();
    this.#open.delete(id);
    this.#open.set(id, entry);
    return entry;
  }

  /** Ends all of them. */
  async stop(): Promise<void> {
    await Promise.all([...this.#open.keys()].map((id) => this.#close(id)));
  }

  /** Makes room for another session. @throws {ContractError} BackupFilesNotPossible; the store is closed then */
  async #requireBegin({ repository, manifest }: RestoreSource): Promise<void> {
    try {
      const missing = await guestfsMissing();
      if (missing !== undefined) throw notPossible(missing);
      if (manifest.disks.length === 0) throw notPossible("the copy has no disks");
      if (this.#open.size < MOST_OPEN) return;
      const open = [...this.#open];
      // Rather one that has no request to answer.
      const [oldest] = open.find(([, entry]) => !entry.isBusy()) ?? open[0]!;
      await this.#close(oldest);
    } catch (error) {
      await repository.store.close();
      throw error;
    }
  }

  #begin(source: RestoreSource): Entry {
    const opened = Promise.withResolvers<FileSession>(), over = Promise.withResolvers<void>();
    const abort = new AbortController();
    let isOver = () => false, isBusy = () => true;
    // What it reads is not deleted as long as it is there.
    const { repository } = source;
    const read = async () => {
      const { guestfs: folders, host } = this.options, { capabilities } = host();
      const isEmulated = await isGuestfsEmulated(capabilities);
      await using session = await FileSession.open(source, { isEmulated, folders, signal: abort.signal });
      isOver = () => session.isOver;
      isBusy = () => session.isBusy;
      opened.resolve(session);
      await over.promise;
    };
    const held = closing(repository, () => repository.locked("content", false, read)).catch((error) => {
      isOver = () => true;
      opened.reject(error);
      log.debug("files of a backup cannot be read", { copy: source.copy.id, error });
    });
    opened.promise.catch(() => {/* told to who asked */});
    return {
      session: opened.promise,
      isOver: () => isOver(),
      isBusy: () => isBusy(),
      end: async () => {
        abort.abort();
        over.resolve();
        await held;
      },
      cancelIdle: () => {},
    };
  }

  /** Ends it a while after the last question; a download may take longer than that. */
  #endWhenIdle(id: string, entry: Entry, session: FileSession): void {
    entry.cancelIdle();
    entry.cancelIdle = this.options.clock.after(IDLE_MS, () => {
      if (session.isBusy) this.#endWhenIdle(id, entry, session);
      else void this.#close(id);
    });
  }

  async #close(id: string): Promise<void> {
    const entry = this.#open.get(id);
    if (entry === undefined) return;
    this.#open.delete(id);
    entry.cancelIdle();
    await entry.end();
  }
}
