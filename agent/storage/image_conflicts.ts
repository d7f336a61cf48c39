/**
 * What else needs the disks that a VM writes to: another VM that has the same image, and what is built on it. Asked before
 * a VM starts, is reverted or comes back from the bin, and told on pages. Volumes, the bin and templates are known from
 * memory; heads are read of disks that are in no pool alone.
 */
import { ContractError, type Disk, type StorageUser, type VM } from "../../lib/contract/mod.ts";
import type { Host } from "../hosts/host.ts";
import { isLocal } from "../libvirt/uri.ts";
import { log } from "../log.ts";
import { isThere } from "../files.ts";
import { resolvedByFolder, resolvedPath } from "../resolved_path.ts";
import { within } from "../within.ts";
import { backingChain } from "./disk_images/backing.ts";
import { mayBeFile } from "./disk_path.ts";
import { FileIdentities } from "./folder_content.ts";
import { poolFolder } from "./reachable.ts";
import { byName, namedUser, vmUser } from "./used_places.ts";

/** Milliseconds that heads and identities of other VMs' images may take: a mount that hangs keeps no other VM off. */
const OTHERS_MS = 1500;

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

/** Where a disk is, as far as memory tells. */
function pathOf(
  { inventory }: Host,
  { type, source }: Pick<SomeDisk, "type" | "source">,
): string | undefined {
  if (source === undefined || type === "network") return undefined;
  if (type !== "volume") return source.startsWith("/") ? source : undefined;
  const [pool = "", ...rest] = source.split("/"), name = rest.join("/");
  const known = inventory.storage.peek(pool)?.find((volume) => volume.name === name)?.path;
  const folder = poolFolder({ inventory }, pool);
  return known ?? (folder === undefined ? undefined : `${folder}/${name}`);
}

/** The disks of all VMs, of which `isUnread` says whose heads memory does not know. */
function disksOfVms(host: Host): { use: ImageUse; isUnread: boolean }[] {
  const { inventory } = host, known = new Set(inventory.storage.known().map(({ path }) => path));
  return inventory.everyVm().flatMap((vm) =>
    vm.disks.flatMap((disk) => {
      const path = pathOf(host, disk), { shareable } = disk;
      if (path === undefined) return [];
      const use = {
        ...{ path, owner: vm.id, user: vmUser(inventory, vm), isBase: false, shareable },
        isOnlyRead: !isWritten(disk),
      };
      return [{ use, isUnread: mayBeFile(disk) && disk.format === "qcow2" && !known.has(path) }];
    })
  );
}

/** What is built on something: volumes, by the VM that has them, and what the bin, templates and snapshots keep. */
function basesKept({ inventory, keepers }: Host, disks: readonly ImageUse[]): ImageUse[] {
  const byPath = new Map(disks.map((use) => [use.path, use]));
  const volumes = inventory.storage.known().flatMap(({ path, name, pool, backing }) => {
    if (backing === undefined) return [];
    const { owner, user } = byPath.get(path) ??
      { owner: undefined, user: namedUser(`the volume ${name} of ${pool}`) };
    return [{ path: backing.path, owner, user, isBase: true, shareable: false, overlay: path }];
  });
  const kept = keepers.kept().map(({ path, keeper, owner }) => ({
    ...{ path, owner, user: namedUser(keeper), isBase: true, shareable: false },
  }));
  return [...volumes, ...kept];
}

/** What VMs' disks are built on that are in no pool. */
async function basesRead(disks: ReturnType<typeof disksOfVms>): Promise<ImageUse[]> {
  const found = await Promise.all(
    disks.filter(({ isUnread }) => isUnread).map(async ({ use }) => {
      const chain = await backingChain(use.path).catch((error) => {
        log.debug("what a VM's disk is built on cannot be read", { path: use.path, error });
        return [];
      });
      return chain.map((path) => ({ ...use, path, isBase: true, shareable: false }));
    }),
  );
  return found.flat();
}

/** Who uses which image, of a whole host. */
export class ImageUses {
  readonly #identities: FileIdentities;

  private constructor(
    private readonly host: Host,
    private readonly at: (path: string) => string,
    /** Those of which `at` knows where they lead. */
    private readonly followed: ReadonlySet<string>,
    private readonly byPlace: ReadonlyMap<string, readonly ImageUse[]>,
    private readonly isExact: boolean,
  ) {
    this.#identities = new FileIdentities([...byPlace.keys()]);
  }

  /**
   * @param subject a VM that may be in no list
   * @param isExact asks which files are the same under other names
   */
  static async read(host: Host, subject: Subject | undefined, isExact: boolean): Promise<ImageUses> {
    const { uri } = host.link, isHere = isLocal(uri);
    const disks = disksOfVms(host), uses = disks.map(({ use }) => use);
    uses.push(...basesKept(host, uses));
    if (isHere) await within(OTHERS_MS, basesRead(disks).then((read) => void uses.push(...read)));
    const own = (subject?.disks ?? []).flatMap((disk) => pathOf(host, disk) ?? []);
    // Links of other VMs' paths are followed as long as that takes no time: their storage may hang
    let at = (path: string) => path;
    const paths = [...own, ...uses.map(({ path }) => path)];
    await within(OTHERS_MS, resolvedByFolder(uri, paths).then((resolved) => void (at = resolved)));
    return new ImageUses(
      host,
      at,
      new Set(paths),
      Map.groupBy(uses, ({ path }) => at(path)),
      isHere && isExact,
    );
  }

  /** What else needs the disks that a VM writes to, each user of a disk once. */
  async conflicts({ id, disks }: Subject): Promise<ImageConflict[]> {
    let active: ReadonlySet<string> | undefined;
    const isActive = (owner: string | undefined) => {
      active ??= new Set(this.host.inventory.active());
      return owner !== undefined &&
        (active.has(owner) || this.host.inventory.vm(owner)?.state === "suspended");
    };
    const found = await Promise.all(disks.map(async (disk): Promise<ImageConflict[]> => {
      const path = isWritten(disk) ? pathOf(this.host, disk) : undefined;
      if (path === undefined) return [];
      const here = (await this.#placesOf(path)).flatMap((place) => this.byPlace.get(place) ?? []);
      const there = await Promise.all(here.map((use) => this.#isThere(use)));
      const uses = here.filter((_use, index) => there[index]);
      return [true, false].flatMap((isBase) => {
        const users = uses.filter((use) =>
          use.isBase === isBase && use.owner !== id && (isBase || !use.isOnlyRead) &&
          !(disk.shareable && use.shareable)
        );
        const { target } = disk;
        return byName(users.map(({ user }) => user)).map((user) => ({
          ...{ target, path, user, isBase },
          isActive: users.some((use) => use.user.name === user.name && isActive(use.owner)),
        }));
      });
    }));
    return found.flat();
  }

  /** Whether a use is one still: memory keeps a volume that another program removed until its pool is read again. */
  async #isThere({ overlay }: ImageUse): Promise<boolean> {
    if (overlay === undefined || !this.isExact) return true;
    let found = true;
    await within(
      OTHERS_MS,
      isThere(overlay).then((is) => void (found = is), () => {/* not known: it counts */}),
    );
    return found;
  }

  /** The places of the file at a path: its own, and the one by which others call it. */
  async #placesOf(path: string): Promise<string[]> {
    const places = new Set([this.at(path)]);
    const follow = async () => void places.add(await resolvedPath(this.host.link.uri, path));
    if (!this.followed.has(path)) await within(OTHERS_MS, follow());
    const look = async () => {
      const info = await this.#identities.infoAt(path);
      for (const same of info === undefined ? [] : await this.#identities.placesOf(info)) places.add(same);
    };
    if (this.isExact) await within(OTHERS_MS, look());
    return [...places];
  }
}

/** What else needs the disks that a VM writes to, as exactly as it can be told. */
export async function imageConflicts(host: Host, vm: Subject): Promise<ImageConflict[]> {
  return vm.disks.some(isWritten) ? await (await ImageUses.read(host, vm, true)).conflicts(vm) : [];
}

/**
 * Refuses to write to the disks of a VM while something is built on them, or another VM that runs has them.
 *
 * @throws {ContractError} DiskIsBase, DiskInUse
 */
export async function requireOwnImages(host: Host, vm: Subject): Promise<void> {
  const conflict = (await imageConflicts(host, vm)).find(({ isBase, isActive }) => isBase || isActive);
  if (conflict !== undefined) throw conflictError(conflict);
}

/** A conflict as an error: DiskIsBase, DiskInUse. */
const conflictError = ({ target, path, user: { name }, isBase }: ImageConflict): ContractError =>
  isBase
    ? new ContractError("DiskIsBase", { disk: target, path, user: name })
    : new ContractError("DiskInUse", { vm: name, path });
