/**
 * The live model of a host's storage: pools, and the volumes of those that somebody has looked at. Volumes are read
 * once a pool, then kept by libvirt's events, by what our own commands did, and by a look at the pools' figures now
 * and then. A pool whose server is dead lets calls about it wait; its last record stays then, and the others are read one by
 * one, for libvirt's list of all pools waits for each.
 */
import { dirname } from "node:path";
import type { PoolRecord } from "../../../ffi/calls/mod.ts";
import { describePool } from "../../../lib/formats/xml/pool.ts";
import { LibvirtError } from "../../../ffi/error.ts";
import { fileSystemSpace, type PoolSpace } from "../../../lib/storage/pool_space.ts";
import { PATH_TYPES } from "../../../lib/storage/pool_types.ts";
import type { LibvirtLink } from "../../libvirt/link.ts";
import { log } from "../../log.ts";
import { type LinkCaller, type PoolVolume, volumeOf } from "../../storage/volumes.ts";
import { within } from "../../within.ts";
import type { LocalMachine } from "../../machine/machine.ts";

/** Milliseconds somebody who asks waits for pools or volumes that are being read. */
export const POOLS_WAIT_MS = 8000;
/** Milliseconds the first list of VMs waits for the pools. */
const START_MS = 2000;
/** Types whose volumes are called as the files in their folder, or the devices in it. */
const NAMED_BY_PATH: ReadonlySet<string> = new Set(["dir", "fs", "netfs", "logical"]);

/** Types whose volumes are files in a folder of a file system. */
const MEASURED: ReadonlySet<string> = new Set(["dir", "fs", "netfs"]);
/** Milliseconds that file systems may take to say what is free. */
const MEASURE_MS = 2000;

/** Runs again when asked while it runs: whoever asked gets a result that is no older than the question. */
class Latest {
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(readonly run: () => Promise<void>) {}

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  ask(): Promise<void> {
    if (this.#running === undefined) return this.#start();
    return this.#next ??= this.#running.catch(() => {/* told to those who asked for it */}).then(() => {
      this.#next = undefined;
      return this.#start();
    });
  }

  #start(): Promise<void> {
    return this.#running = this.run().finally(() => {
      this.#running = undefined;
    });
  }
}

/** Folder → the active pool whose volumes are in it; folders that two have are left out. Pure. */
function foldersOf(records: readonly PoolRecord[]): Map<string, string> {
  const found = new Map<string, string>(), several = new Set<string>();
  for (const { name, xml, volumes } of records) {
    const { type, path } = describePool(xml);
    if (volumes === null || path === undefined || !NAMED_BY_PATH.has(type)) continue;
    if (found.has(path)) several.add(path);
    found.set(path, name);
  }
  for (const path of several) found.delete(path);
  return found;
}

/** The fields of a pool that change with its volumes. */
const figuresOf = (record: PoolRecord | undefined) => JSON.stringify(record && { ...record, state: 0 });

/** Changes by our commands in a pool while its volumes were being read: the read may be older. */
class ChangesMeanwhile {
  readonly #put = new Map<string, PoolVolume>();
  readonly #goneNames = new Set<string>();
  readonly #gonePaths = new Set<string>();

  put(volume: PoolVolume): void {
    this.#put.set(volume.name, volume);
    this.#goneNames.delete(volume.name);
    this.#gonePaths.delete(volume.path);
  }

  remove(name: string): void {
    this.#put.delete(name);
    this.#goneNames.add(name);
  }

  removeAt(path: string): void {
    for (const volume of this.#put.values()) if (volume.path === path) this.#put.delete(volume.name);
    this.#gonePaths.add(path);
  }

  /** Volumes of a read, by name, with these changes. */
  onto(read: readonly PoolVolume[]): Map<string, PoolVolume> {
    const stays = read.filter(({ name, path }) => !this.#goneNames.has(name) && !this.#gonePaths.has(path));
    return new Map([...stays, ...this.#put.values()].map((volume) => [volume.name, volume]));
  }
}

/** The volumes of a pool. */
interface Shelf {
  /** UUID of the pool: another one can take its name. */
  readonly uuid: string;
  readonly reader: Latest;
  /** Undefined while its volumes are not being read. */
  meanwhile: ChangesMeanwhile | undefined;
  volumes: Map<string, PoolVolume> | undefined;
  /** The same by name, until one changes. */
  sorted: readonly PoolVolume[] | undefined;
  /** Figures of the pool when its volumes were read. */
  figures: string | undefined;
}

export class PoolInventory {
  readonly #link: LinkCaller;
  readonly #machine: LocalMachine | null;
  readonly #tell: (pool: string, event: string) => void;
  readonly #scanner = new Latest(() => this.#scan());
  readonly #shelves = new Map<string, Shelf>();
  /** As libvirt tells them. */
  #records = new Map<string, PoolRecord>();
  /** The room of pools that are folders of this host, asked of their file systems at the last scan. */
  #measured = new Map<string, PoolSpace>();
  /** Folder → the pool whose volumes are in it. */
  #folders = new Map<string, string>();
  #isKnown = false;
  /** UUID of a pool that is not active → those of its volumes that are built on others, as they were read last. */
  readonly #leftOverlays = new Map<string, readonly PoolVolume[]>();
  /** The volumes of all pools, until one of them changes. */
  #all: readonly PoolVolume[] | undefined;

  /** @param tell publishes that something about a pool changed */
  constructor(link: Pick<LibvirtLink, "call" | "machine">, tell: (pool: string, event: string) => void) {
    this.#link = link;
    this.#machine = link.machine;
    this.#tell = tell;
  }

  /** Whether the pools were read at all. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** Every pool as last read, by name, with the room that its file system says it has. */
  records(): PoolRecord[] {
    return [...this.#records.values()].map((record) => ({ ...record, ...this.#measured.get(record.name) }));
  }

  record(pool: string): PoolRecord | undefined {
    const record = this.#records.get(pool);
    return record && { ...record, ...this.#measured.get(pool) };
  }

  /** Whether the room of a pool was asked of its file system at the last scan. */
  isMeasured(pool: string): boolean {
    return this.#measured.has(pool);
  }

  /** The pool whose volume a path is by its folder; undefined where no pool is known to have it. */
  poolOf(path: string): string | undefined {
    return this.#folders.get(dirname(path));
  }

  /** The volumes of a pool, as far as they were read; undefined when they were not. Asks neither libvirt nor the disk. */
  peek(pool: string): readonly PoolVolume[] | undefined {
    const shelf = this.#shelves.get(pool);
    if (shelf?.volumes === undefined) return undefined;
    return shelf.sorted ??= [...shelf.volumes.values()].sort((a, b) => a.name < b.name ? -1 : 1);
  }

  /** The volumes of all pools that were read: the same list until one of them changes. */
  known(): readonly PoolVolume[] {
    return this.#all ??= [...this.#shelves.values()].flatMap(({ volumes }) => [...volumes?.values() ?? []]);
  }

  /** Overlays in pools that are not active any more, as they were read last. */
  leftOverlays(): PoolVolume[] {
    return [...this.#leftOverlays.values()].flat();
  }

  /** A new connection: what was known may be wrong. Waits no longer than a moment for the pools. @throws {LibvirtError} */
  async restart(): Promise<void> {
    for (const pool of this.#shelves.keys()) this.#drop(pool);
    await patient(this.#scanner.ask(), START_MS);
  }

  /** Reads the pools again. @throws {LibvirtError} kind `timeout` when that takes longer than {@link POOLS_WAIT_MS} */
  async refresh(): Promise<void> {
    if (!await patient(this.#scanner.ask(), POOLS_WAIT_MS)) throw late();
  }

  /**
   * The volumes of an active pool, by name: from memory, or read when it is the first time.
   *
   * @throws {LibvirtError} kind `timeout` when its storage does not answer
   */
  async volumes(pool: string): Promise<readonly PoolVolume[]> {
    const there = this.peek(pool);
    if (there !== undefined) return there;
    const { reader } = this.#shelf(pool);
    // One read is enough for all who ask at the same time.
    if (!await patient(this.#first(reader), POOLS_WAIT_MS)) throw late();
    return this.peek(pool) ?? [];
  }

  /**
   * Reads the volumes of a pool again, where they were read before.
   *
   * @throws {LibvirtError} kind `timeout` when its storage does not answer
   */
  async refreshVolumes(pool: string): Promise<void> {
    const shelf = this.#shelves.get(pool);
    if (shelf !== undefined && !await patient(shelf.reader.ask(), POOLS_WAIT_MS)) throw late();
  }

  /** Takes in a volume that a command of ours made or changed. */
  put(volume: PoolVolume): void {
    const shelf = this.#shelves.get(volume.pool);
    shelf?.meanwhile?.put(volume);
    if (shelf?.volumes !== undefined) {
      shelf.volumes.set(volume.name, volume);
      this.#restock(shelf);
    }
    this.#again(shelf, volume.pool);
    this.#changed(volume.pool);
  }

  /** Takes in that a command of ours deleted a volume. */
  remove(pool: string, name: string): void {
    const shelf = this.#shelves.get(pool);
    shelf?.meanwhile?.remove(name);
    shelf?.volumes?.delete(name);
    if (shelf !== undefined) this.#restock(shelf);
    this.#again(shelf, pool);
    this.#changed(pool);
  }

  /** The same by its path, as far as its pool was read. */
  removeAt(path: string): void {
    for (const { meanwhile } of this.#shelves.values()) meanwhile?.removeAt(path);
    const volume = this.known().find((each) => each.path === path);
    if (volume !== undefined) this.remove(volume.pool, volume.name);
  }

  /** Drops cached lists after a pool's volumes changed. */
  #restock(shelf: Shelf): void {
    shelf.sorted = undefined;
    this.#all = undefined;
  }

  /** Of another host no file tells whether what a forgotten pool had is still there. */
  #forgetLeft(records: readonly PoolRecord[]): void {
    const uuids = new Set(records.map(({ uuid }) => uuid));
    for (const uuid of this.#leftOverlays.keys()) if (!uuids.has(uuid)) this.#leftOverlays.delete(uuid);
  }

  #drop(pool: string): void {
    const shelf = this.#shelves.get(pool), volumes = shelf?.volumes;
    if (volumes !== undefined) {
      this.#leftOverlays.set(
        shelf!.uuid,
        [...volumes.values()].filter(({ backing }) => backing !== undefined),
      );
    }
    if (this.#shelves.delete(pool)) this.#all = undefined;
  }

  /** A read that began before the change may be of the time before it: another has to follow. */
  #again(shelf: Shelf | undefined, pool: string): void {
    if (!shelf?.reader.isRunning) return;
    shelf.reader.ask().catch((error) => log.debug("volumes could not be read", { pool, error }));
  }

  /** Takes in an event of libvirt's: reads what it is about, then publishes it. */
  onEvent(pool: string, event: string): void {
    this.#reread(pool, event).catch((error) => {
      log.debug("a storage pool could not be read", { pool, error });
      this.#tell(pool, event);
    });
  }

  /** Compares the pools' figures with what is known: libvirt sends no event for volumes that other programs make and delete. */
  async reconcile(): Promise<void> {
    if (this.#scanner.isRunning) return;
    const before = this.#records;
    await this.#scanner.ask();
    for (const [name, record] of this.#records) {
      const old = before.get(name);
      const figures = figuresOf(record);
      // Others scan the pools, too: what counts for the volumes is what the pool was like when they were read.
      const shelf = this.#shelves.get(name);
      const isCurrent = shelf?.volumes === undefined || shelf.figures === figures;
      if (old !== undefined && isCurrent && JSON.stringify(old) === JSON.stringify(record)) continue;
      this.onEvent(name, old === undefined ? "defined" : "changed");
    }
    for (const name of before.keys()) if (!this.#records.has(name)) this.#tell(name, "undefined");
  }

  #changed(pool: string): void {
    this.#scanner.ask().then(
      () => this.#tell(pool, "volumes"),
      (error) => log.debug("the storage pools could not be read", { error }),
    );
  }

  async #reread(pool: string, event: string): Promise<void> {
    await this.#scanner.ask();
    const shelf = this.#shelves.get(pool);
    if ((this.#records.get(pool)?.volumes ?? null) === null) this.#drop(pool);
    else if (shelf !== undefined) await shelf.reader.ask();
    this.#tell(pool, event);
  }

  async #scan(): Promise<void> {
    const records = await this.#link.call("poolScan");
    this.#records = new Map(
      records.sort((a, b) => a.name < b.name ? -1 : 1).map((record) => [record.name, record]),
    );
    this.#folders = foldersOf(records);
    this.#measured = await this.#measure(records);
    for (const name of this.#shelves.keys()) if (!this.#records.has(name)) this.#drop(name);
    if (this.#machine === null) this.#forgetLeft(records);
    this.#isKnown = true;
  }

  /** libvirt counts the room of a pool when it looks at all of it, and for long not again: the file systems know it. */
  async #measure(records: readonly PoolRecord[]): Promise<Map<string, PoolSpace>> {
    const found = new Map<string, PoolSpace>(), machine = this.#machine;
    if (machine === null) return found;
    const asked = records.map(async ({ name, xml, volumes }) => {
      const { type, path } = describePool(xml);
      if (volumes === null || path === undefined || !MEASURED.has(type)) return;
      try {
        found.set(name, fileSystemSpace(await machine.files.statfs(path)));
      } catch (error) {
        log.debug("the file system of a storage pool does not say what is free", { pool: name, error });
      }
    });
    await within(MEASURE_MS, Promise.all(asked));
    return new Map(found); // what comes later is not taken
  }

  /** libvirt opens each file of a pool to tell of its volumes. @throws {ContractError} StorageNotResponding */
  async #requireReachable(pool: string): Promise<void> {
    const { type, path } = describePool(this.#records.get(pool)?.xml ?? "<pool/>");
    if (this.#machine !== null && path !== undefined && PATH_TYPES.has(type)) {
      await this.#machine.files.requireResponding(path);
    }
  }

  readonly #reading = new Map<Latest, Promise<void>>();

  #first(reader: Latest): Promise<void> {
    let reading = this.#reading.get(reader);
    if (reading === undefined) {
      reading = reader.ask().finally(() => this.#reading.delete(reader));
      this.#reading.set(reader, reading);
    }
    return reading;
  }

  #shelf(pool: string): Shelf {
    let shelf = this.#shelves.get(pool);
    if (shelf === undefined) {
      const made: Shelf = {
        uuid: this.#records.get(pool)?.uuid ?? pool,
        reader: new Latest(async () => {
          await this.#requireReachable(pool);
          const figures = figuresOf(this.#records.get(pool));
          const meanwhile = made.meanwhile = new ChangesMeanwhile();
          const read = await this.#link.call("volumeScan", { pool }).finally(() =>
            made.meanwhile = undefined
          );
          made.figures = figures;
          // A pool that was stopped meanwhile is remembered
          if (this.#shelves.get(pool) === made) this.#leftOverlays.delete(made.uuid);
          made.volumes = meanwhile.onto(read.map(volumeOf));
          this.#restock(made);
        }),
        meanwhile: undefined,
        volumes: undefined,
        figures: undefined,
        sorted: undefined,
      };
      this.#shelves.set(pool, shelf = made);
    }
    return shelf;
  }
}

const late = () =>
  new LibvirtError({
    kind: "timeout",
    message: `no answer within ${POOLS_WAIT_MS / 1000} seconds`,
  });

/** Waits for something, but not longer than that: false when it took longer. What fails later is logged. */
async function patient(work: Promise<void>, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<false>((resolve) => timer = setTimeout(() => resolve(false), ms));
  try {
    const done = await Promise.race([work.then(() => true), limit]);
    if (!done) {
      work.catch((error) => log.debug("storage that did not answer failed in the end", { error }));
      log.warn("a storage pool does not answer: its server may be away", { waitedMs: ms });
    }
    return done;
  } finally {
    clearTimeout(timer);
  }
}
