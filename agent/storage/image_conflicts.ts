/**
 * Other users of the disks that a VM writes to: VMs that have the same image, and images that are built on
 * it. Asked before a VM starts, is reverted or is restored from the bin, and reported on pages. Volumes, the
 * bin and templates are known from memory; only for disks outside all pools heads are read.
 */
import type { LocalMachine } from "../machine/machine.ts";
import { userName } from "../../lib/i18n/message.ts";
import { dirname } from "node:path";
import { ContractError, type Disk, type StorageUser, type VM } from "../../lib/contract/mod.ts";
import type { TargetChain } from "../../lib/formats/xml/domain.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { log } from "../log.ts";
import { isThere } from "../machine/files.ts";
import { resolvedByFolder, resolvedPath, statInTime } from "../machine/resolved_path.ts";
import { SharedTime } from "../within.ts";
import { wholeChain } from "./disk_images/backing.ts";
import { mayBeFile } from "./disk_path.ts";
import { FileIdentities } from "./folder_content.ts";
import { leftOverlaysSoon, type Overlay, readPoolsSoon, rememberedOverlays } from "./overlays.ts";
import { poolFolder } from "./reachable.ts";
import { byName, namedUser, vmUser } from "./used_places.ts";
import { withSaved } from "./saved_devices.ts";

/**
 * Milliseconds that looks at other VMs' images may take, one after the other: what saved memory has, heads and links, which files they are, and
 * whether what is remembered is still there. A mount that hangs keeps no other VM off, so all of it together stays well
 * below what a start may take (`start_check.ts`).
 */
const OTHERS_MS = { first: 500, read: 1000, same: 1000, there: 500 } as const;
/** Paths that a line of the log names. */
const MOST_NAMED = 8;

export type SomeDisk = Pick<Disk, "target" | "device" | "type" | "source" | "readOnly" | "shareable">;
type Subject = Pick<VM, "id"> & { readonly disks: readonly SomeDisk[] };

/** Whether a VM writes to what it has there. */
export const isWritten = ({ device, readOnly }: SomeDisk) =>
  (device === "disk" || device === "lun") && !readOnly;

/** Another use of a disk that a VM writes to. */
export interface ImageConflict {
  readonly target: string;
  readonly path: string;
  readonly user: StorageUser;
  /** Whether something is built on it; else another VM has it itself. */
  readonly isBase: boolean;
  /** Whether the other VM runs, or goes on with its saved memory: both would write to it. */
  readonly isActive: boolean;
}

/** How a place is used. */
interface ImageUse {
  readonly path: string;
  /** Id of the VM, or of the entry of the bin, whose own it is. */
  readonly owner: string | undefined;
  readonly user: StorageUser;
  readonly isBase: boolean;
  readonly shareable: boolean;
  /** Whether a VM has it as a medium that is not written to. */
  readonly isOnlyRead?: boolean;
  /** The volume that is built on it, where it is one. */
  readonly overlay?: string;
}

/** A use, by where its path leads. */
type PlacedUse = readonly [place: string, use: ImageUse];

/** Path of a disk, as far as the inventory knows it. */
function pathOf(
  { inventory }: LibvirtHost,
  { type, source }: Pick<SomeDisk, "type" | "source">,
): string | undefined {
  if (source === undefined || type === "network") return undefined;
  if (type !== "volume") return source.startsWith("/") ? source : undefined;
  const [pool = "", ...rest] = source.split("/"), name = rest.join("/");
  const known = inventory.storage.peek(pool)?.find((volume) => volume.name === name)?.path;
  const folder = poolFolder({ inventory }, pool);
  return known ?? (folder === undefined ? undefined : `${folder}/${name}`);
}

/** A disk of a VM. */
interface DiskOfVm {
  readonly use: ImageUse;
  /** Whether memory does not know its head. */
  readonly isUnread: boolean;
  /** The disk's backing chain by the VM's definition. */
  readonly declared: TargetChain | undefined;
}

function disksOfVms(host: LibvirtHost, vms: readonly VM[]): DiskOfVm[] {
  const { inventory } = host, known = new Set(inventory.storage.known().map(({ path }) => path));
  return vms.flatMap((vm) => {
    const chains = inventory.record(vm.id)?.summary.chains ?? [];
    return vm.disks.flatMap((disk) => {
      const path = pathOf(host, disk), { shareable } = disk;
      if (path === undefined) return [];
      const use = {
        path,
        owner: vm.id,
        user: vmUser(inventory, vm),
        isBase: false,
        shareable,
        isOnlyRead: !isWritten(disk),
      };
      const declared = chains.find(({ target }) => target === disk.target);
      const isUnread = mayBeFile(disk) && disk.format === "qcow2" && !known.has(path);
      return [{ use, isUnread, declared }];
    });
  });
}

/** Backing images by the VMs' definitions: they count whether the disks can be read or not. */
const basesDeclared = (disks: readonly DiskOfVm[]): ImageUse[] =>
  disks.flatMap(({ use, declared }) =>
    (declared?.bases ?? []).map((path) => ({ ...use, path, isBase: true, shareable: false }))
  );

/**
 * Backing images of volumes, each with the VM that has the volume, and of images that the bin, templates and
 * snapshots keep.
 */
function basesKept(
  { inventory, keepers }: LibvirtHost,
  disks: readonly ImageUse[],
  left: readonly Overlay[],
): ImageUse[] {
  const byPath = new Map(disks.map((use) => [use.path, use]));
  const useOf = ({ path, name, pool, base }: Overlay) => {
    const { owner, user } = byPath.get(path) ??
      { owner: undefined, user: namedUser(`the volume ${name} of ${pool}`) };
    return { path: base, owner, user, isBase: true, shareable: false };
  };
  const volumes = inventory.storage.known().flatMap(({ path, name, pool, backing }) =>
    backing === undefined ? [] : [{ ...useOf({ path, name, pool, base: backing.path }), overlay: path }]
  );
  const kept = keepers.kept().map(({ path, keeper, owner }) => ({
    path,
    owner,
    user: namedUser(keeper),
    isBase: true,
    shareable: false,
  }));
  return [...volumes, ...left.map(useOf), ...kept];
}

/**
 * Paths with their links followed, folder by folder: paths of a folder that does not respond in time stay as
 * they are.
 */
async function followed(
  machine: LocalMachine | null,
  paths: Iterable<string>,
  time: SharedTime,
): Promise<(path: string) => string> {
  const known = new Map<string, string>();
  await Promise.all(
    [...Map.groupBy(new Set(paths), dirname)].map(async ([folder, own]) => {
      const at = await time.of(folder, resolvedByFolder(machine, own));
      for (const path of own) if (at !== undefined) known.set(path, at(path));
    }),
  );
  return (path) => known.get(path) ?? path;
}

/** Backing images of VMs' disks outside all pools, by path, as far as heads can be read in time. */
async function basesRead(
  machine: LocalMachine,
  disks: readonly DiskOfVm[],
  time: SharedTime,
): Promise<PlacedUse[]> {
  const found = await Promise.all(
    disks.filter(({ isUnread }) => isUnread).map(async ({ use, declared }) => {
      const read = await time.of(use.path, wholeChain(use.path)).catch((error) => {
        log.debug("what a VM's disk is built on cannot be read", { path: use.path, error });
        time.unanswered.add(use.path);
        return undefined;
      });
      if (read?.missing !== undefined && !declared?.isComplete) time.unanswered.add(read.missing);
      const chain = (read?.images ?? []).map(({ path }) => path), at = await followed(machine, chain, time);
      return chain.map((path): PlacedUse => [at(path), { ...use, path, isBase: true, shareable: false }]);
    }),
  );
  return found.flat();
}

/** All uses of images on a host. */
export class ImageUses {
  private constructor(
    private readonly host: LibvirtHost,
    private readonly at: (path: string) => string,
    /** Those of which `at` knows where they lead. */
    private readonly paths: ReadonlySet<string>,
    private readonly byPlace: ReadonlyMap<string, readonly ImageUse[]>,
    /** Asks which files are the same under other names. */
    private readonly isExact: boolean,
    /** Paths that did not respond when they were read. */
    private readonly unread: ReadonlySet<string>,
  ) {}

  /**
   * @param subject a VM that may be in no list
   * @param isExact asks which files are the same under other names
   */
  static async read(host: LibvirtHost, subject: Subject | undefined, isExact: boolean): Promise<ImageUses> {
    const { machine } = host;
    const every = host.inventory.everyVm(), first = new SharedTime(OTHERS_MS.first);
    const silent = (vm: VM) => first.unanswered.add(`the saved memory of ${vm.name}`);
    const [vms = every, left = rememberedOverlays(host)] = await Promise.all([
      first.of("saved memory", withSaved(host, every, silent)),
      isExact ? first.of("stopped storage pools", leftOverlaysSoon(host)) : undefined,
    ]);
    const disks = disksOfVms(host, vms), uses = disks.map(({ use }) => use);
    uses.push(...basesKept(host, uses, left), ...basesDeclared(disks));
    const time = new SharedTime(OTHERS_MS.read);
    const own = (subject?.disks ?? []).flatMap((disk) => pathOf(host, disk) ?? []);
    const paths = new Set([...own, ...uses.map(({ path }) => path)]);
    // At the same time: a head that cannot be read keeps no link from being followed
    const [at, bases] = await Promise.all([
      followed(machine, paths, time),
      machine === null ? [] : basesRead(machine, disks, time),
    ]);
    const placed = [...uses.map((use): PlacedUse => [at(use.path), use]), ...bases];
    const byPlace = new Map<string, ImageUse[]>();
    for (const [place, use] of placed) byPlace.get(place)?.push(use) ?? byPlace.set(place, [use]);
    return new ImageUses(
      host,
      at,
      paths,
      byPlace,
      machine !== null && isExact,
      first.unanswered.union(time.unanswered),
    );
  }

  /** Other users of the disks that a VM writes to, each user of a disk once. */
  async conflicts({ id, disks }: Subject): Promise<ImageConflict[]> {
    let active: ReadonlySet<string> | undefined;
    const isActive = (owner: string | undefined) => {
      active ??= new Set(this.host.inventory.active());
      return owner !== undefined &&
        (active.has(owner) || this.host.inventory.vm(owner)?.state === "suspended");
    };
    const same = new SharedTime(OTHERS_MS.same);
    const identities = new FileIdentities([...this.byPlace.keys()], async (path) => {
      const info = await same.of(path, statInTime(path)) ?? "late";
      if (info === "late") same.unanswered.add(path); // also what is refused at once: its mount hangs for longer
      return info;
    });
    const written = disks.flatMap((disk) => {
      const path = isWritten(disk) ? pathOf(this.host, disk) : undefined;
      return path === undefined ? [] : [{ disk, path }];
    });
    const places = await Promise.all(written.map(({ path }) => this.#placesOf(path, identities, same)));
    const there = new SharedTime(OTHERS_MS.there);
    const found = await Promise.all(written.map(async ({ disk, path }, index) => {
      const here = [...places[index]!].flatMap((place) => this.byPlace.get(place) ?? []);
      const isStill = await Promise.all(here.map((use) => this.#isThere(use, there)));
      const uses = here.filter((_use, each) => isStill[each]);
      return [true, false].flatMap((isBase): ImageConflict[] => {
        const users = uses.filter((use) =>
          use.isBase === isBase && use.owner !== id && (isBase || !use.isOnlyRead) &&
          !(disk.shareable && use.shareable)
        );
        const { target } = disk;
        return byName(users.map(({ user }) => user)).map((user) => ({
          target,
          path,
          user,
          isBase,
          isActive: users.some((use) => use.user.name === user.name && isActive(use.owner)),
        }));
      });
    }));
    this.#warn(id, new Set([...this.unread, ...same.unanswered]));
    return found.flat();
  }

  /** Logs the paths that were not read, and may be built on the disks, before the disks are written to. */
  #warn(vmId: string, unread: ReadonlySet<string>): void {
    if (!this.isExact || unread.size === 0) return;
    const named = [...unread].slice(0, MOST_NAMED).join(", "), more = unread.size - MOST_NAMED;
    log.warn(
      "whether other VMs need the disks of a VM is not known in full: these could not be read in time, or are missing",
      {
        vm: vmId,
        unread: named,
        ...(more > 0 && { more }),
      },
    );
  }

  /** Whether a use is one still: memory keeps a volume that another program removed until its pool is read again. */
  async #isThere({ overlay }: ImageUse, time: SharedTime): Promise<boolean> {
    if (overlay === undefined || !this.isExact) return true;
    // What is not known counts
    return await time.of(overlay, isThere(overlay)).catch(() => true) ?? true;
  }

  /** The places of the file at a path: its own, and those by which others call it. */
  async #placesOf(path: string, identities: FileIdentities, time: SharedTime): Promise<Set<string>> {
    const places = new Set([this.at(path)]), { machine } = this.host;
    if (!this.paths.has(path)) places.add(await time.of(path, resolvedPath(machine, path)) ?? path);
    const info = this.isExact ? await identities.infoAt(path) : undefined;
    for (const same of info === undefined ? [] : await identities.placesOf(info)) places.add(same);
    return places;
  }
}

/** Other users of the disks that a VM writes to, as exactly as they can be found. */
export async function imageConflicts(host: LibvirtHost, vm: Subject): Promise<ImageConflict[]> {
  if (!vm.disks.some(isWritten)) return [];
  await readPoolsSoon(host);
  return await (await ImageUses.read(host, vm, true)).conflicts(vm);
}

/**
 * Refuses to write to the disks of a VM while something is built on them, or another VM that runs has them.
 *
 * @throws {ContractError} DiskIsBase, DiskInUse
 */
export async function requireOwnImages(host: LibvirtHost, vm: Subject): Promise<void> {
  const conflict = (await imageConflicts(host, vm)).find(({ isBase, isActive }) => isBase || isActive);
  if (conflict !== undefined) throw conflictError(conflict);
}

/** A conflict as an error: DiskIsBase, DiskInUse. */
const conflictError = ({ target, path, user, isBase }: ImageConflict): ContractError =>
  isBase
    ? new ContractError("DiskIsBase", { disk: target, path, user: userName(user) })
    : new ContractError("DiskInUse", { vm: userName(user), path });
