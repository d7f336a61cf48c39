/**
 * Places of a host that are in use, with their users. A place is a path with every link followed, or
 * `volume:pool/name`.
 */
import type { StorageUser, VM } from "../../lib/contract/mod.ts";
import { describePool } from "../../lib/formats/xml/pool.ts";
import { PATH_TYPES } from "../../lib/storage/pool_types.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { Inventory } from "../hosts/inventory/inventory.ts";
import type { PoolVolume } from "./volumes.ts";

/** One use of a place. */
export interface PlaceUse {
  readonly user: StorageUser;
  readonly place: string;
}

const isBelow = (place: string, folder: string) => place.startsWith(folder === "/" ? folder : `${folder}/`);

export class UsedPlaces {
  /** Place → its users by name, which is a VM's alone on a host. */
  readonly #users = new Map<string, Map<string, StorageUser>>();

  add(place: string, ...users: readonly StorageUser[]): void {
    let there = this.#users.get(place);
    if (there === undefined) this.#users.set(place, there = new Map());
    for (const user of users) there.set(user.name, user);
  }

  /** Every place that is used. */
  places(): string[] {
    return [...this.#users.keys()];
  }

  /** Users of a place itself. */
  at(place: string): StorageUser[] {
    return [...this.#users.get(place)?.values() ?? []];
  }

  /** Users of places below a folder. */
  below(folder: string): PlaceUse[] {
    return [...this.#users].flatMap(([place, users]) =>
      isBelow(place, folder) ? [...users.values()].map((user) => ({ user, place })) : []
    );
  }

  /** Users of places whose text begins with `start`. */
  beginning(start: string): StorageUser[] {
    return [...this.#users].flatMap(([place, users]) => place.startsWith(start) ? [...users.values()] : []);
  }
}

/** Each user once, by name. */
export const byName = (users: readonly StorageUser[]): StorageUser[] =>
  [...new Map(users.map((user) => [user.name, user])).values()].sort((a, b) => a.name < b.name ? -1 : 1);

type Disk = {
  readonly type: string;
  readonly source?: string | undefined;
  readonly format?: string | undefined;
};

/** A VM, by what is shown of it: one in no list, as a boot test's, has no page to lead to. */
export const vmUser = (inventory: Inventory, { id, name }: Pick<VM, "id" | "name">): StorageUser => ({
  vmId: inventory.vm(id) === undefined ? "" : id,
  name,
});

/** A user that is no VM. */
export const namedUser = (name: string): StorageUser => ({ vmId: "", name });

/** Place of a disk: a path, or `volume:pool/name`. */
export const placeOf = ({ type, source }: Disk) => type === "volume" ? `volume:${source}` : source;
export const placesOf = (
  { pool, name, path }: Pick<PoolVolume, "pool" | "name" | "path">,
) => [path, `volume:${pool}/${name}`];

/** The pools that are folders of this host, with their folders. */
export const poolFolders = (
  { inventory }: Pick<LibvirtHost, "inventory">,
): { pool: string; path: string }[] =>
  inventory.storage.records().flatMap(({ name, xml }) => {
    const { type, path } = describePool(xml);
    return path !== undefined && PATH_TYPES.has(type) && !path.startsWith("/dev/")
      ? [{ pool: name, path }]
      : [];
  });
