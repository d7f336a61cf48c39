/** Bytes after which what was written is synced. */
const SYNCED_BYTES = 256 * 1024 * 1024;

/** Syncs what is written while more comes: at the end there is little left that somebody waits for. */
export class PeriodicSync {
  #unsynced = 0;
  #isSyncing = false;
  #synced: Promise<void> = Promise.resolve();

  /** @param sync has everything that was written before last */
  constructor(private readonly sync: () => Promise<void>) {}

  /** Notes that so many bytes were written. */
  wrote(bytes: number): void {
    this.#unsynced += bytes;
    if (this.#isSyncing || this.#unsynced < SYNCED_BYTES) return;
    this.#unsynced = 0;
    this.#isSyncing = true;
    this.#synced = Promise.all([this.#synced, this.sync()]).then(() => void (this.#isSyncing = false));
    this.#synced.catch(() => {/* told to who waits for the end */});
  }

  /** Syncs all that was written. @throws errors of an earlier sync, too: the kernel reports a failed write once */
  async end(): Promise<void> {
    await this.#synced;
    await this.sync();
  }
}
