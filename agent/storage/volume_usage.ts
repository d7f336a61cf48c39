/** Users of storage, for lists: from memory, and from answers of libvirt and file systems that come at once. */
import { vmName } from "../../lib/i18n/message.ts";
import type { PoolRecord } from "../../ffi/calls/mod.ts";
import { ContractError, type StorageUser } from "../../lib/contract/mod.ts";
import { PATH_TYPES } from "../../lib/storage/pool_types.ts";
import { describePool } from "../../lib/formats/xml/pool.ts";
import { resolvedPaths, resolvedWithin } from "../machine/resolved_path.ts";
import type { Inventory } from "../hosts/inventory/inventory.ts";
import { log } from "../log.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { within } from "../within.ts";
import { poolFolder } from "./reachable.ts";
import { snapshotFiles } from "./snapshot_files.ts";
import { byName, namedUser, placeOf, placesOf, poolFolders, UsedPlaces, vmUser } from "./used_places.ts";
import type { PoolVolume } from "./volumes.ts";

/** Milliseconds that a list waits for libvirt and for file systems. */
const LIST_MS = 1500;

type Services = Pick<LibvirtHost, "inventory" | "link" | "machine" | "keepers">;

/** Result of some work, or `otherwise` if it does not end in time, for lists that do not wait. */
async function inTimeOr<T>(work: Promise<T>, otherwise: T): Promise<T> {
  let found = otherwise;
  try {
    await within(LIST_MS, work.then((done) => void (found = done)));
  } catch (error) {
    log.debug("who uses which storage is not known wholly", { error });
  }
  return found;
}

type SnapshotFiles = Awaited<ReturnType<typeof snapshotFiles>>;

/** A reading of what VMs' snapshots need: the last one, and the one that is under way. */
interface SnapshotReading {
  readonly files: SnapshotFiles;
  /** When it ended, by the monotonic clock. */
  readonly at: number;
  readonly running?: Promise<SnapshotFiles>;
}

const readings = new WeakMap<object, SnapshotReading>();
const NO_READING: SnapshotReading = { files: new Map(), at: -Infinity };
/** Milliseconds for which lists go by one reading: it asks libvirt for each VM that has snapshots. */
const GOOD_MS = 5000;

/** Snapshots of a libvirt's VMs have changed: the next list reads them. */
export function snapshotsChanged(link: Services["link"]): void {
  const known = readings.get(link);
  if (known !== undefined) readings.set(link, { files: known.files, at: -Infinity });
}

/**
 * Reads it, one reading of a libvirt at a time; one that takes longer than a list waits counts for the next. A VM that does
 * not respond is not asked: what was read of it last stays.
 */
function snapshotsNow({ link, inventory }: Pick<Services, "link" | "inventory">): Promise<SnapshotFiles> {
  const { files, at, running: known } = readings.get(link) ?? NO_READING;
  if (known !== undefined) return known;
  if (performance.now() - at < GOOD_MS) return Promise.resolve(files);
  const read = async () => {
    const isSilent = (uuid: string) => inventory.anyVm(uuid)?.responsive === false;
    const before = [...files].filter(([uuid]) => isSilent(uuid));
    return new Map([...before, ...await snapshotFiles(link, isSilent)]);
  };
  // What was changed meanwhile is read again
  const keep = (next: SnapshotReading) => {
    if (readings.get(link)?.running === running) readings.set(link, next);
  };
  const running: Promise<SnapshotFiles> = read().then(
    (found) => {
      keep({ files: found, at: performance.now() });
      return found;
    },
    (error) => {
      keep({ files, at });
      throw error;
    },
  );
  readings.set(link, { files, at, running });
  return running;
}

/** Files that VMs' snapshots need, for a list. */
async function knownSnapshotFiles(
  { link, inventory }: Services,
): Promise<[path: string, user: StorageUser][]> {
  const known = await inTimeOr(snapshotsNow({ link, inventory }), (readings.get(link) ?? NO_READING).files);
  return [...known].flatMap(([uuid, files]) => {
    const vm = inventory.anyVm(uuid);
    return vm === undefined
      ? []
      : files.map(({ path }): [string, StorageUser] => [path, vmUser(inventory, vm)]);
  });
}

/** Users of each volume, as far as the live model knows. */
export class VolumeUsage {
  /** Files that VMs need. */
  readonly #vms = new UsedPlaces();
  /** Files that templates, the bin and backups need. */
  readonly #others = new UsedPlaces();
  /** Volumes that are built on others, and that no VM needs. */
  readonly #overlays = new UsedPlaces();
  /** The folders of pools. */
  readonly #pools = new UsedPlaces();

  private constructor(
    private readonly inventory: Inventory,
    /** Resolves a path. */
    private readonly at: (path: string) => string,
  ) {}

  /**
   * Reads it. Whatever cannot be asked now counts as unused.
   *
   * @param asked volumes that are asked for, where their pools may not be known
   */
  static async read(host: Services, asked: readonly Pick<PoolVolume, "path">[] = []): Promise<VolumeUsage> {
    const { inventory, keepers, machine } = host;
    const needed: [path: string, user: StorageUser][] = await knownSnapshotFiles(host);
    for (const vm of inventory.everyVm()) {
      const user = vmUser(inventory, vm);
      for (const path of inventory.record(vm.id)?.summary.paths ?? []) needed.push([path, user]);
      for (const disk of vm.disks) {
        const place = placeOf(disk);
        if (place !== undefined) needed.push([place, user]);
        // A folder is asked for what lies in it, by path.
        const [pool = "", ...name] = disk.type === "volume" ? disk.source?.split("/") ?? [] : [];
        const folder = pool === "" ? undefined : poolFolder({ inventory }, pool);
        if (folder !== undefined) needed.push([`${folder}/${name.join("/")}`, user]);
      }
    }
    const kept = keepers.kept(), pools = poolFolders(host);
    const overlays = inventory.storage.known().filter(({ backing }) => backing !== undefined);
    // A folder that does not respond leaves those of the others known
    const at = await resolvedWithin(
      LIST_MS,
      machine,
      [
        ...[...needed.map(([path]) => path), ...[...kept, ...pools, ...asked].map(({ path }) => path)],
        ...overlays.map(({ backing }) => backing!.path),
      ],
      inventory.storage.records().flatMap(({ xml }) => describePool(xml).path ?? []),
    );
    const usage = new VolumeUsage(inventory, at);
    for (const [path, user] of needed) usage.#vms.add(at(path), user);
    for (const { path, keeper } of kept) usage.#others.add(at(path), namedUser(keeper));
    for (const { pool, path } of pools) usage.#pools.add(at(path), namedUser(`storage pool ${pool}`));
    usage.#followBackings(overlays);
    return usage;
  }

  /** Counts users of an overlay as users of its backing images; an overlay without users counts itself. */
  #followBackings(overlays: readonly PoolVolume[]): void {
    const byPath = new Map(overlays.map((volume) => [this.at(volume.path), volume]));
    for (const volume of overlays) {
      const users = this.#vmsOf(volume);
      if (users.length === 0) {
        const name = `volume ${volume.name} of ${volume.pool}`;
        this.#overlays.add(this.at(volume.backing!.path), namedUser(name));
        continue;
      }
      const seen = new Set<string>();
      for (let next: PoolVolume | undefined = volume; next?.backing !== undefined;) {
        const base = this.at(next.backing.path);
        if (seen.has(base)) break;
        seen.add(base);
        this.#vms.add(base, ...users);
        next = byPath.get(base);
      }
    }
  }

  /**
   * Users of a volume: VMs whose file it is or whose disk is built on it, its keepers, and volumes that are
   * built on it; for a folder, also the users of its content.
   */
  of(volume: PoolVolume): StorageUser[] {
    const places = this.#placesOf(volume), all = [this.#vms, this.#others, this.#overlays];
    const own = places.flatMap((place) => all.flatMap((each) => each.at(place)));
    if (volume.type !== "dir") return byName(own);
    const inside = places.flatMap((place) => [
      ...this.#pools.at(place),
      ...[...all, this.#pools].flatMap((each) => each.below(place)).map(({ user }) => user),
    ]);
    return byName([...own, ...inside]);
  }

  /** Whether a VM needs a volume. */
  isOfVm(volume: PoolVolume): boolean {
    return this.#vmsOf(volume).length > 0;
  }

  #vmsOf(volume: PoolVolume): StorageUser[] {
    return this.#placesOf(volume).flatMap((place) => this.#vms.at(place));
  }

  /** Whether a template, the bin or a backup needs a volume. */
  isKept(volume: PoolVolume): boolean {
    return this.#placesOf(volume).some((place) => this.#others.at(place).length > 0);
  }

  /** The VMs with files in a pool. */
  ofPool({ name, xml }: PoolRecord): StorageUser[] {
    const { type, path } = describePool(xml);
    const folder = path !== undefined && PATH_TYPES.has(type) ? this.at(path) : undefined;
    const volumes = this.inventory.storage.peek(name) ?? [];
    return byName([
      ...this.#vms.beginning(`volume:${name}/`),
      ...volumes.flatMap((volume) => this.#placesOf(volume)).flatMap((place) => this.#vms.at(place)),
      ...folder === undefined ? [] : this.#vms.below(folder).map(({ user }) => user),
    ]);
  }

  #placesOf(volume: PoolVolume): string[] {
    return placesOf(volume).map((place) => this.at(place));
  }
}

/**
 * Keeps VMs from writing to an image, or to what it is built on, while it is copied: a copy of what runs would be
 * torn, and what is off is kept off.
 *
 * @param except a VM that is held already
 * @throws {ContractError} VolumeInUse while one runs, VmBusy
 */
export async function holdWriters(
  host: LibvirtHost,
  { path, backing, volume }: {
    path: string;
    backing: readonly { path: string }[];
    /** Undefined for a file outside all pools. */
    volume: PoolVolume | undefined;
  },
  held: DisposableStack,
  except?: string,
): Promise<void> {
  const { inventory, machine } = host;
  const copied = [
    path,
    ...volume === undefined ? [] : placesOf(volume),
    ...backing.map((image) => image.path),
  ];
  const places = new Set(await resolvedPaths(machine, copied));
  const written = new Set<string>();
  for (const { id, disks } of inventory.vms()) {
    const own = disks.filter(({ readOnly }) => !readOnly).flatMap((disk) => placeOf(disk) ?? []);
    if ((await resolvedPaths(machine, own)).some((place) => places.has(place))) written.add(id);
  }
  // From here on nothing is waited for: a VM could start meanwhile.
  const active = new Set(inventory.active());
  for (const vm of inventory.vms()) {
    const writes = written.has(vm.id);
    if (!writes || vm.id === except) continue;
    if (active.has(vm.id) && volume === undefined) {
      throw new ContractError("DiskInUse", { vm: vmName(vm), path });
    }
    if (active.has(vm.id)) {
      throw new ContractError("VolumeInUse", { vm: vmName(vm), pool: volume!.pool, name: volume!.name });
    }
    held.use(host.claims.take(vm, "copying a disk"));
  }
}
